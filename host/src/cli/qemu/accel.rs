//! `-accel`, and `accel=` of the machine.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::help::Help;
use super::invocation::Accelerator;
use crate::machine::file::Irqchip;

/// What of KVM's properties changes nothing a guest sees.
const KVM_PROPERTIES: &[&str] =
    &["dirty-ring-size", "kvm-shadow-mem", "notify-vmexit", "notify-window"];

pub(super) fn accel(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.opts(all, Some("accel"))?;
    let name = list.get("accel").unwrap_or_default().to_owned();
    if matches!(name.as_str(), "help" | "?") {
        all.ask_help(Help::Accelerators);
        return Ok(());
    }
    for (property, text) in list.last().filter(|(property, _)| *property != "accel") {
        match (name.as_str(), property) {
            ("kvm", "kernel-irqchip") => {
                set_irqchip(all, text).map_err(|problem| problem.at(&given.place()))?;
            }
            ("kvm", property) if KVM_PROPERTIES.contains(&property) => {}
            // Of one that is not here nobody knows what it has.
            ("kvm" | "qtest", property) => {
                return Err(given.error(format!("Property '{name}-accel.{property}' not found")));
            }
            _ => {}
        }
    }
    all.accelerators.push((given.place(), name));
    Ok(())
}

/// Says what the interrupt controllers are: QEMU's `kernel-irqchip`.
pub(super) fn set_irqchip(all: &mut Collected, text: &str) -> Result<(), Problem> {
    const NAME: &str = "kernel-irqchip";
    all.irqchip = match text {
        "on" => Irqchip::Kernel,
        "split" => Irqchip::Split,
        "off" => {
            // Whose they are no guest can tell.
            let text = format!("warning: {NAME}=off: the local APICs are KVM's, as with split");
            all.warnings.push(text);
            Irqchip::Split
        }
        _ => return Err(format!("Parameter '{NAME}' does not accept value '{text}'").into()),
    };
    Ok(())
}

/// What may run the guest, in order. There is no Xen here and no emulation of
/// processors: those are passed over as QEMU does with what it was built
/// without, unless nothing else is left. Xen alone is as nothing: machines of
/// Xen's guests run without it here.
pub(super) fn resolve(all: &mut Collected) -> Result<Vec<Accelerator>, Error> {
    let of_machine = all.machine.get("accel").map(str::to_owned);
    let invalid = |name: &str| format!("invalid accelerator {name}");
    let wanted: Vec<(String, String, String)> = match (&of_machine, &all.accelerators[..]) {
        (Some(_), [_, ..]) => {
            return Err(Error::new("The -accel and \"-machine accel=\" options are incompatible"));
        }
        (Some(names), []) => names
            .split(':')
            .map(|name| (name.into(), format!("-machine accel={names}"), invalid(name)))
            .collect(),
        (None, given) => given
            .iter()
            .map(|(place, name)| {
                (name.clone(), place.clone(), format!("{place}: {}", invalid(name)))
            })
            .collect(),
    };
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    let mut xen = false;
    for (name, place, error) in wanted {
        match name.as_str() {
            "kvm" => found.push(Accelerator::Kvm),
            "qtest" => found.push(Accelerator::Qtest),
            "xen" => {
                xen = true;
                all.warnings.push(format!(
                    "warning: {place}: there is no Xen here; only machines that are Xen's \
                     have what QEMU changes under Xen"
                ));
            }
            // QEMU does not look further than to the first that is there.
            _ if found.is_empty() => refused.push(error),
            _ => {}
        }
    }
    if found.is_empty() && !xen && !refused.is_empty() {
        let mut errors = refused.into_iter().map(Error::new);
        let first = errors.next().unwrap_or_else(|| Error::new("no accelerator"));
        return Err(errors.fold(first, Error::and));
    }
    all.warnings.extend(refused);
    if found.is_empty() {
        found.push(Accelerator::Kvm);
    }
    found.dedup();
    Ok(found)
}
