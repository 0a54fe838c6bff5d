//! What processors hold, taken from one machine and put into another.

use kvm_bindings::{KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_UNINITIALIZED};

use super::*;

/// A 32-bit guest that changes what a processor can hold and then counts for ever.
fn busy() -> Vec<u8> {
    assemble(32, CODE, |a| {
        let mut again = a.create_label();
        a.mov(eax, 0x1122_3344)?;
        a.mov(esi, 0x5566_7788)?;
        a.mov(edi, 0x99aa_bbccu32)?;
        // CR4.DE, and an address for a breakpoint that is not enabled.
        a.mov(ecx, cr4)?;
        a.or(ecx, 8)?;
        a.mov(cr4, ecx)?;
        a.mov(ecx, 0xb0b0)?;
        a.mov(dr0, ecx)?;
        // IA32_SYSENTER_EIP.
        a.mov(ecx, 0x176)?;
        a.mov(eax, 0xfee_d000)?;
        a.xor(edx, edx)?;
        a.wrmsr()?;
        a.set_label(&mut again)?;
        a.inc(dword_ptr(COUNTER))?;
        a.jmp(again)
    })
}

/// Copies the RAM of one machine to another.
fn copy_ram(from: &Machine, to: &Machine) {
    let mut bytes = vec![0; 4 * MIB as usize];
    from.vm.memory().ram().read_slice(&mut bytes, GuestAddress(0)).expect("it is RAM");
    to.vm.memory().ram().write_slice(&bytes, GuestAddress(0)).expect("it is RAM");
}

/// Without the counters, which go on.
fn still(mut state: VmState) -> VmState {
    state.clock = 0;
    for processor in &mut state.processors {
        processor.msrs.remove(&0x10);
        if let Some(apic) = &mut processor.apic {
            apic.set_register(0x390, 0);
        }
    }
    if let Some(chips) = &mut state.chips {
        chips.timer.channels.iter_mut().for_each(|channel| channel.count_load_time = 0);
        chips.pics[0].irr &= !1;
        chips.io_apic.requests &= !4;
    }
    state
}

#[test]
fn a_guest_goes_on_in_another_machine() {
    if no_kvm() {
        return;
    }
    for interrupts in
        [InterruptController::None, InterruptController::Kernel, InterruptController::Local]
    {
        let config = Config { interrupts, ..config() };
        let here = Machine::running(&config, busy());
        wait_for_count(&here, 0);
        here.vm.pause();
        let mut state = here.vm.save().expect("it is paused");
        // Not every guest's instructions can be run everywhere these tests are.
        let vectors = &mut state.processors[0].registers.vectors;
        (vectors.registers[3][0], vectors.in_use) = (0x77, 3);
        let held = &state.processors[0];
        let registers = &held.registers;
        assert_eq!((registers.general[4], registers.general[5]), (0x5566_7788, 0x99aa_bbcc));
        assert_eq!((registers.cr4 & 8, registers.breakpoints[0]), (8, 0xb0b0));
        assert_eq!(held.msrs[&0x176], 0xfee_d000);
        assert_eq!(held.activity, KVM_MP_STATE_RUNNABLE);
        assert_eq!(held.apic.is_some(), interrupts != InterruptController::None);
        assert_eq!(state.chips.is_some(), interrupts == InterruptController::Kernel);

        let there = Machine::new(&config);
        copy_ram(&here, &there);
        there.vm.load(&state).expect("it is paused");
        let found = there.vm.save().expect("it is paused");
        assert_eq!(still(found.clone()), still(state.clone()), "{interrupts:?}");
        assert!(found.processors[0].msrs[&0x10] >= state.processors[0].msrs[&0x10]);
        assert!(found.clock >= state.clock);
        let before = counter(&there);
        there.vm.resume();
        wait_for_count(&there, before);
    }
}

#[test]
fn a_processor_that_waits_for_its_start_goes_on_waiting() {
    if no_kvm() {
        return;
    }
    let here = Machine::running(&config_smp(2), spinner());
    wait_for_count(&here, 0);
    here.vm.pause();
    let state = here.vm.save().expect("it is paused");
    let activities = |state: &VmState| {
        state.processors.iter().map(|processor| processor.activity).collect::<Vec<_>>()
    };
    assert_eq!(activities(&state), [KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_UNINITIALIZED]);
    let there = Machine::new(&config_smp(2));
    there.vm.load(&state).expect("it is paused");
    assert_eq!(activities(&there.vm.save().expect("it is paused")), activities(&state));
    let alone = Machine::new(&config_smp(1));
    let refused = alone.vm.load(&state).expect_err("it has one processor");
    assert_eq!(refused.to_string(), "the state is of 2 processors, the machine has 1");
}

#[test]
fn a_halted_processor_stays_halted() {
    if no_kvm() {
        return;
    }
    let code = assemble(32, CODE, |a| {
        a.inc(dword_ptr(COUNTER))?;
        a.hlt()
    });
    let here = Machine::running(&config(), code);
    while here.vm.exits(0).expect("it exists").halt == 0 {
        std::thread::yield_now();
    }
    here.vm.pause();
    let state = here.vm.save().expect("it is paused");
    let there = Machine::new(&config());
    there.vm.load(&state).expect("it is paused");
    there.vm.resume();
    there.vm.pause();
    assert_eq!(there.vm.exits(0).expect("it exists").halt, 0, "it has run");
    assert_eq!(there.vm.save().expect("it is paused").processors[0].activity, 3);
}

#[test]
fn a_register_that_the_host_does_not_have_is_said() {
    if no_kvm() {
        return;
    }
    let machine = Machine::new(&config());
    let mut state = machine.vm.save().expect("it is paused");
    // None of these exist anywhere; one that holds what it holds after a reset is no loss.
    state.processors[0].msrs.insert(0x7fff_0000, 0);
    machine.vm.load(&state).expect("there is nothing to write");
    state.processors[0].msrs.insert(0x7fff_0000, 0x123);
    let refused = machine.vm.load(&state).expect_err("there is no such register").to_string();
    assert!(refused.contains("register 0x7fff0000 of a processor hold 0x123"), "{refused}");
}

#[test]
fn a_machine_that_runs_is_not_saved() {
    if no_kvm() {
        return;
    }
    let machine = Machine::running(&config(), spinner());
    assert!(matches!(machine.vm.save(), Err(Error::NotPaused)));
}
