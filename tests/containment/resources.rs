//! Devices that take what they can get: memory, tables, stack, effects.

use super::ground::good;
use super::kind::{Kind, Outcome};

fn fault(name: &str, device: super::device::Device, reason: &'static str) {
    Kind::new(name, device, "io-read", Outcome::Fault(reason, "io-read")).check();
}

fn refused(name: &str, device: super::device::Device, reason: &'static str) {
    Kind::new(name, device, "describe", Outcome::Refused(reason)).check();
}

#[test]
fn memory_grows_up_to_the_limit() {
    let grow = "(loop $again (drop (memory.grow (i32.const 16))) (br $again)) (unreachable)";
    fault("memory growth", good().with("io-read", grow), "forcing trap when growing memory");
    let all = "(drop (memory.grow (i32.const 65534))) (unreachable)";
    fault("4 GiB at once", good().with("io-read", all), "forcing trap when growing memory");
    refused("a large memory", good().sized("1025"), "forcing trap when growing memory");
}

#[test]
fn tables_grow_up_to_the_limit() {
    let table = "(table $table 1 funcref)";
    let grow = "(loop $again (drop (table.grow $table (ref.null func) (i32.const 10))) \
                (br $again)) (unreachable)";
    let device = good().and(table).with("io-read", grow);
    fault("table growth", device, "forcing trap when growing table");
    refused("a large table", good().and("(table 10000001 funcref)"), "table");
    refused("many tables", good().and(&"(table 1 funcref)".repeat(5)), "tables");
}

#[test]
fn the_stack_has_an_end() {
    let deep = "(func $deep (param $n i64) (result i64) \
                (i64.add (call $deep (i64.add (local.get $n) (i64.const 1))) (i64.const 1)))";
    let device = good().and(deep).with("io-read", "(call $deep (i64.const 0))");
    let outcome = Outcome::Fault("call stack exhausted", "deep");
    Kind::new("recursion", device, "io-read", outcome).check();

    // Few calls, each with all the locals there may be.
    let locals = format!("(local {})", "i64 ".repeat(40_000));
    let uses: String = (1..40_000)
        .step_by(400)
        .map(|n| format!("(local.set {n} (call $wide (local.get 0)))"))
        .collect();
    let sums: String =
        (1..40_000).step_by(400).map(|n| format!("(i64.add (local.get {n}))")).collect();
    let wide =
        format!("(func $wide (param i64) (result i64) {locals} {uses} (local.get 0) {sums})");
    let device = good().and(&wide).with("io-read", "(call $wide (i64.const 0))");
    let outcome = Outcome::Fault("call stack exhausted", "wide");
    Kind::new("wide recursion", device, "io-read", outcome).check();
}

#[test]
fn a_call_has_so_many_effects_and_bytes_in_them() {
    let flooded = "more effects than a call may";
    let again = |what: &str| format!("(loop $again {what} (br $again)) (unreachable)");
    let put = good().importing("streams", "put", "(param i32 i32)");
    let flood = again("(call $streams-put (i32.const 0) (i32.const 33))");
    fault("flood of a stream", put.with("io-read", flood), flooded);

    // As much as all the memory holds, with every write.
    let write = good().importing("dma", "write", "(param i64 i32 i32)").sized("1000");
    let flood = again("(call $dma-write (i64.const 0) (i32.const 0) (i32.const 65000000))");
    fault("flood of the guest's memory", write.with("io-read", flood), flooded);

    let map = again(
        "(local.set $offset (i64.add (local.get $offset) (i64.const 32))) \
         (call $map (i32.const 0) (local.get $offset) (i32.const 0))",
    );
    fault("a region that moves without end", good().with("io-read", map), flooded);
}
