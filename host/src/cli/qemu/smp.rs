//! `-smp` and `-cpu`.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::help::Help;
use super::value;
use crate::vm::MAX_CPUS;

/// The properties of the machine that are about processors.
pub(super) const GROUP: &str = "smp";

/// The models that are taken. What a guest gets are the host's processors in any
/// case.
pub(super) const MODELS: &[&str] = &["base", "host", "kvm32", "kvm64", "max", "qemu32", "qemu64"];

pub(super) fn smp(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.keyval(Some("cpus"))?;
    for (key, text) in list.last() {
        all.machine.set(&format!("smp.{key}"), text.into());
    }
    Ok(())
}

pub(super) fn cpu(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let text = given.text()?;
    if matches!(text, "help" | "?") {
        all.ask_help(Help::Cpus);
        return Ok(());
    }
    let (model, features) = text.split_once(',').unwrap_or((text, ""));
    if !MODELS.contains(&model) {
        return Err(Error::new(format!("unable to find CPU model '{model}'")));
    }
    if !features.is_empty() || !matches!(model, "host" | "max") {
        given.warn(all, "there is no choice of processors; the guest has the host's");
    }
    Ok(())
}

/// The number of processors. How they are said to be arranged has to fit, and is
/// then forgotten: what a guest sees of it firmware says.
pub(super) fn resolve(all: &mut Collected, machine: &str) -> Result<u32, Error> {
    const KEYS: [&str; 7] = ["cpus", "maxcpus", "sockets", "dies", "clusters", "cores", "threads"];
    let too_many = |count: i64| {
        Error::new(format!(
            "Invalid SMP CPUs {count}. The max CPUs supported by machine '{machine}' is {MAX_CPUS}"
        ))
    };
    let mut counts = [None; KEYS.len()];
    let mut zero = false;
    for (key, text) in all.machine.under("smp.") {
        let at = KEYS.iter().position(|known| *known == key);
        let unexpected = || Error::new(format!("Parameter '{GROUP}.{key}' is unexpected"));
        let at = at.ok_or_else(unexpected)?;
        let count = value::integer(&format!("{GROUP}.{key}"), text).map_err(Problem::bare)?;
        zero |= count == 0;
        let fits = u64::try_from(count).ok().filter(|count| *count <= u32::MAX.into());
        counts[at] = Some(fits.ok_or_else(|| too_many(count))?).filter(|count| *count != 0);
    }
    if zero {
        all.warnings.push(
            "warning: Deprecated CPU topology (considered invalid): CPU topology parameters must \
             be greater than zero"
                .into(),
        );
    }
    let [cpus, most, sockets, dies, clusters, cores, threads] = counts;
    if clusters.unwrap_or(1) > 1 {
        return Err(Error::new("clusters not supported by this machine's CPU topology"));
    }
    // As machines from 6.2 on: cores are preferred to sockets.
    let whole = most.or(cpus);
    let known = |count: Option<u64>| count.unwrap_or(1);
    let dies = known(dies);
    let rest = |a: u64, b: u64| {
        whole.map_or(1, |whole| whole / a.saturating_mul(b).saturating_mul(dies).max(1))
    };
    let (sockets, cores, threads) = match (sockets, cores, threads) {
        (sockets, None, threads) => {
            (known(sockets), rest(known(sockets), known(threads)), known(threads))
        }
        (None, Some(cores), threads) => (rest(cores, known(threads)), cores, known(threads)),
        (Some(sockets), Some(cores), None) => (sockets, cores, rest(sockets, cores)),
        (Some(sockets), Some(cores), Some(threads)) => (sockets, cores, threads),
    };
    let product = [sockets, dies, cores, threads].into_iter().fold(1, u64::saturating_mul);
    let most = whole.unwrap_or(product);
    let cpus = cpus.unwrap_or(most);
    let topology =
        format!("sockets ({sockets}) * dies ({dies}) * cores ({cores}) * threads ({threads})");
    if product != most {
        return Err(Error::new(format!(
            "Invalid CPU topology: product of the hierarchy must match maxcpus: {topology} != \
             maxcpus ({most})"
        )));
    }
    if most < cpus {
        return Err(Error::new(format!(
            "Invalid CPU topology: maxcpus must be equal to or greater than smp: {topology} == \
             maxcpus ({most}) < smp_cpus ({cpus})"
        )));
    }
    let limit = u64::from(u32::try_from(MAX_CPUS).unwrap_or(u32::MAX));
    if cpus > limit {
        return Err(too_many(i64::try_from(cpus).unwrap_or(i64::MAX)));
    }
    if most > cpus {
        all.warnings.push(format!("warning: maxcpus={most}: no processors can be added later"));
    }
    Ok(u32::try_from(cpus).unwrap_or(u32::MAX))
}
