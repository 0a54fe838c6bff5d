//! `--drive`: images, and what is in the machine's drives.

use anyhow::bail;

use super::args::Pair;
use super::qemu::{Drive, Interface, Media, Opts};
use crate::machine::Plan;

/// What can be said of a drive besides its name and its file, in QEMU's words.
const OPTIONS: [&str; 5] = ["media", "readonly", "cache", "rerror", "werror"];

/// Reads `NAME=FILE[,media=cdrom][,readonly=on][,cache=MODE][,rerror=ACTION][,werror=ACTION]`.
/// Two commas in the file's name are one.
pub(super) fn drive(text: &str) -> Result<Drive, String> {
    let Pair { name, value } = text.parse::<Pair<String>>()?;
    let mut list = Opts::parse(&value, Some("file"));
    let file = list.take("file").filter(|file| !file.is_empty());
    let file = file.ok_or("NAME=FILE expected")?.into();
    if let Some((option, _)) = list.last().find(|(option, _)| !OPTIONS.contains(option)) {
        return Err(format!("{option:?}: {} expected", OPTIONS.join(", ")));
    }
    let media = match list.take("media").as_deref() {
        None | Some("disk") => Media::Disk,
        Some("cdrom") => Media::Cdrom,
        Some(media) => return Err(format!("media={media}: disk or cdrom expected")),
    };
    list.flag("readonly").map_err(|problem| problem.to_string())?;
    let floppy = name.starts_with("floppy");
    Ok(Drive {
        place: format!("--drive {text}"),
        interface: if floppy { Interface::Floppy } else { Interface::Ide },
        name: Some(name),
        media,
        file: Some(file),
        format: Some("raw".into()),
        options: list.last().map(|(option, value)| (option.into(), value.into())).collect(),
        ..Drive::empty()
    })
}

/// Refuses drives that no device has, and one that is given twice.
pub(super) fn check(drives: &[Drive], plan: &Plan) -> super::Result<()> {
    let known = plan.drives();
    for (number, drive) in drives.iter().enumerate() {
        let Some(name) = drive.name.as_deref() else { continue };
        if !known.contains(name) {
            let known: Vec<_> = known.into_iter().collect();
            bail!("no drive {name:?}; this machine has {}", known.join(", "));
        }
        if drives[..number].iter().any(|other| other.name == drive.name) {
            bail!("drive {name:?} is given twice");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drives_have_a_name_a_file_and_options() {
        let given = drive("ide0=disk,,1.img,readonly=on,werror=stop").unwrap();
        assert_eq!(given.name.as_deref(), Some("ide0"));
        assert_eq!(given.file.as_deref(), Some("disk,1.img".as_ref()));
        assert_eq!((given.interface, given.media), (Interface::Ide, Media::Disk));
        assert!(given.flag("readonly"));
        assert_eq!(given.option("werror"), Some("stop"));
        for (written, read_only) in [("yes", true), ("true", true), ("off", false), ("n", false)] {
            let given = drive(&format!("ide0=disk.img,readonly={written}")).unwrap();
            assert_eq!(given.flag("readonly"), read_only, "{written}");
        }
        assert_eq!(drive("ide2=cd.iso,media=cdrom").unwrap().media, Media::Cdrom);
        assert_eq!(drive("floppy0=a.img").unwrap().interface, Interface::Floppy);
        for (wrong, why) in [
            ("", "NAME=VALUE"),
            ("ide0", "NAME=VALUE"),
            ("ide0=,readonly=on", "NAME=FILE"),
            ("ide0=a,media=tape", "disk or cdrom"),
            ("ide0=a,readonly=maybe", "'on' or 'off'"),
            ("ide0=a,snapshot=on", "\"snapshot\": media, readonly"),
        ] {
            let problem = drive(wrong).unwrap_err();
            assert!(problem.contains(why), "{wrong}: {problem}");
        }
    }
}
