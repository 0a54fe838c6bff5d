//! Looks into the files, to say where two differ.

use firmware_acpi::Tables;

/// Signature, offset and length of each table in a blob.
pub(crate) fn tables(blob: &[u8]) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    let mut offset = 0;
    while let Some(head) = blob.get(offset..offset + 8) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if length < 8 || offset + length > blob.len() {
            break;
        }
        found.push((String::from_utf8_lossy(&head[..4]).into_owned(), offset, length));
        offset += length;
    }
    found
}

/// The table of that signature.
pub(crate) fn table<'a>(blob: &'a [u8], signature: &str) -> &'a [u8] {
    let found = tables(blob).into_iter().find(|(name, ..)| name == signature);
    let (_, offset, length) = found.unwrap_or_else(|| panic!("no {signature}"));
    &blob[offset..offset + length]
}

/// Where the files first differ, in words.
pub(crate) fn difference(made: &Tables, recorded: &Tables) -> Option<String> {
    let in_tables = blob_difference(&made.tables, &recorded.tables);
    let rsdp = || first_difference("rsdp", &made.rsdp, &recorded.rsdp);
    let loader = || first_difference("loader", &made.loader, &recorded.loader);
    in_tables.or_else(rsdp).or_else(loader)
}

fn blob_difference(made: &[u8], recorded: &[u8]) -> Option<String> {
    let lengths = |blob| {
        let tables = tables(blob).into_iter();
        tables.map(|(name, _, length)| (name, length)).collect::<Vec<_>>()
    };
    for ((name, at, length), (other, there, long)) in tables(made).into_iter().zip(tables(recorded))
    {
        let (mine, theirs) = (&made[at..at + length], &recorded[there..there + long]);
        // Lengths differ by what comes behind: the content tells more.
        let (mine, theirs) = (&mine[8..], &theirs[8..]);
        if name != other || name != "RSDT" && name != "FACP" && mine != theirs {
            return first_difference(&name, mine, theirs)
                .map(|text| format!("{text} (+8), recorded {:?}", lengths(recorded)));
        }
    }
    first_difference("tables", made, recorded)
}

fn first_difference(name: &str, made: &[u8], recorded: &[u8]) -> Option<String> {
    if made == recorded {
        return None;
    }
    let at = made.iter().zip(recorded).take_while(|(mine, theirs)| mine == theirs).count();
    let around = |bytes: &[u8]| {
        let range = at.saturating_sub(24)..bytes.len().min(at + 24);
        bytes[range].escape_ascii().to_string()
    };
    Some(format!(
        "{name} differs at {at:#x} of {:#x}, recorded {:#x}:\n   made {}\n   recorded {}",
        made.len(),
        recorded.len(),
        around(made),
        around(recorded)
    ))
}
