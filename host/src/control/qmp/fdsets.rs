//! Descriptors that clients sent, for files to be opened: `/dev/fdset/N`.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::Errno;
use serde::Serialize;

use super::{Access, Error};
use crate::guest::{Guest, RunState};

/// All sets of a machine.
pub(super) struct Fdsets {
    guest: Arc<Guest>,
    sets: Mutex<Sets>,
}

#[derive(Default)]
struct Sets {
    /// By their numbers, the lowest first.
    sets: Vec<Set>,
    /// How many clients there are.
    monitors: usize,
}

struct Set {
    id: i64,
    /// The newest first.
    fds: Vec<Member>,
    /// Files that are open through the set.
    open: usize,
}

struct Member {
    fd: OwnedFd,
    opaque: Option<String>,
    removed: bool,
}

/// What `add-fd` returns (`AddfdInfo`).
#[derive(Serialize)]
pub(super) struct Added {
    fd: i32,
    #[serde(rename = "fdset-id")]
    fdset_id: i64,
}

/// What `query-fdsets` returns of a set (`FdsetInfo`).
#[derive(Serialize)]
pub(super) struct Info {
    fds: Vec<FdInfo>,
    #[serde(rename = "fdset-id")]
    fdset_id: i64,
}

/// What it returns of a descriptor (`FdsetFdInfo`).
#[derive(Serialize)]
struct FdInfo {
    fd: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    opaque: Option<String>,
}

impl Fdsets {
    pub(super) fn new(guest: Arc<Guest>) -> Self {
        Self { guest, sets: Mutex::default() }
    }

    /// Adds a descriptor to a set, or to a new one.
    pub(super) fn add(
        &self,
        fd: OwnedFd,
        id: Option<i64>,
        opaque: Option<String>,
    ) -> Result<Added, Error> {
        if id.is_some_and(|id| id < 0) {
            return Err(Error::generic("Parameter 'fdset-id' expects a non-negative value"));
        }
        let mut sets = self.lock();
        // Without a number the first that is free.
        let free = || (0..).zip(&sets.sets).find(|(id, set)| *id != set.id).map(|(id, _)| id);
        let id = id.or_else(free).unwrap_or(sets.sets.len() as i64);
        let place = match sets.sets.binary_search_by_key(&id, |set| set.id) {
            Ok(place) => place,
            Err(place) => {
                sets.sets.insert(place, Set { id, fds: Vec::new(), open: 0 });
                place
            }
        };
        let added = Added { fd: fd.as_raw_fd(), fdset_id: id };
        sets.sets[place].fds.insert(0, Member { fd, opaque, removed: false });
        Ok(added)
    }

    /// Has a descriptor, or all of a set, be closed when nobody needs it any more.
    pub(super) fn remove(&self, id: i64, fd: Option<i64>) -> Result<(), Error> {
        let running = self.is_running();
        let mut sets = self.lock();
        let monitors = sets.monitors;
        let set = sets.sets.iter_mut().find(|set| set.id == id);
        let marked = set.is_some_and(|set| {
            let mut found = fd.is_none();
            for member in &mut set.fds {
                if fd.is_none_or(|fd| i64::from(member.fd.as_raw_fd()) == fd) {
                    member.removed = true;
                    found = true;
                }
            }
            found.then(|| set.clean(monitors, running)).is_some()
        });
        if !marked {
            let fd = fd.map(|fd| format!(", fd:{fd}")).unwrap_or_default();
            let what = format_args!("File descriptor named 'fdset-id:{id}{fd}' not found");
            return Err(Error::generic(what));
        }
        sets.forget_empty();
        Ok(())
    }

    /// All sets, those with the highest numbers first, as QEMU lists them.
    pub(super) fn list(&self) -> Vec<Info> {
        let info =
            |member: &Member| FdInfo { fd: member.fd.as_raw_fd(), opaque: member.opaque.clone() };
        let set =
            |set: &Set| Info { fds: set.fds.iter().rev().map(info).collect(), fdset_id: set.id };
        self.lock().sets.iter().rev().map(set).collect()
    }

    /// Opens what a set has for an access.
    pub(super) fn open(self: &Arc<Self>, id: i64, access: Access) -> io::Result<Duplicate> {
        let mut sets = self.lock();
        let set = sets.sets.iter_mut().find(|set| set.id == id).ok_or(Errno::NOENT)?;
        let wanted = match access {
            Access::Read => OFlags::RDONLY,
            Access::Write => OFlags::WRONLY,
        };
        let mut found = None;
        for member in &set.fds {
            if fcntl_getfl(&member.fd)? & OFlags::RWMODE == wanted {
                found = Some(&member.fd);
                break;
            }
        }
        let file = File::from(found.ok_or(Errno::ACCESS)?.try_clone()?);
        if access == Access::Write && file.metadata()?.is_file() {
            file.set_len(0)?;
        }
        set.open += 1;
        Ok(Duplicate { file, _hold: Hold { fdsets: self.clone(), id } })
    }

    pub(super) fn monitor_opened(&self) {
        self.lock().monitors += 1;
    }

    /// A client is gone: what nobody else can need is closed, unless the guest
    /// stands still, as in QEMU.
    pub(super) fn monitor_closed(&self) {
        let running = self.is_running();
        let mut sets = self.lock();
        sets.monitors = sets.monitors.saturating_sub(1);
        let monitors = sets.monitors;
        sets.sets.iter_mut().for_each(|set| set.clean(monitors, running));
        sets.forget_empty();
    }

    fn close(&self, id: i64) {
        let running = self.is_running();
        let mut sets = self.lock();
        let monitors = sets.monitors;
        if let Some(set) = sets.sets.iter_mut().find(|set| set.id == id) {
            set.open = set.open.saturating_sub(1);
            if set.open == 0 {
                set.clean(monitors, running);
            }
        }
        sets.forget_empty();
    }

    fn is_running(&self) -> bool {
        self.guest.state() == RunState::Running
    }

    fn lock(&self) -> MutexGuard<'_, Sets> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sets {
    fn forget_empty(&mut self) {
        self.sets.retain(|set| set.open > 0 || !set.fds.is_empty());
    }
}

impl Set {
    fn clean(&mut self, monitors: usize, running: bool) {
        let unused = self.open == 0 && monitors == 0;
        self.fds.retain(|member| !(running && (member.removed || unused)));
    }
}

/// A file that is open through a set.
pub(super) struct Duplicate {
    pub(super) file: File,
    _hold: Hold,
}

/// Keeps a set while a file is open through it.
struct Hold {
    fdsets: Arc<Fdsets>,
    id: i64,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.fdsets.close(self.id);
    }
}
