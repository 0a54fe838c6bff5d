use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use cap_std::ambient_authority;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::backend::{Buffer, read_exact, write_all};

fn place() -> (TempDir, Dir) {
    let place = tempdir().unwrap();
    let directory = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
    (place, directory)
}

fn image(place: &TempDir, name: &str, length: usize) {
    let bytes: Vec<u8> = (0..length).map(|index| (index / 7) as u8).collect();
    fs::write(place.path().join(name), bytes).unwrap();
}

fn read_only() -> ImageOptions {
    ImageOptions { access: Access::ReadOnly, ..ImageOptions::default() }
}

fn message(result: Result<Image, OpenError>) -> String {
    result.unwrap_err().to_string()
}

fn read(medium: &mut Medium, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0xaa; length];
    read_exact(&mut *medium.backend, offset, &mut [Buffer::from(&mut bytes[..])]).unwrap();
    bytes
}

fn write(medium: &mut Medium, offset: u64, mut bytes: Vec<u8>) {
    write_all(&mut *medium.backend, offset, &mut [Buffer::from(&mut bytes[..])]).unwrap();
}

#[test]
fn what_cannot_be_opened_is_said_in_one_line() {
    let (place, directory) = place();
    let options = ImageOptions::default();
    let open = |name: &str| message(Image::open(&directory, name, &options));
    assert_eq!(open("none.img"), "could not open 'none.img': there is no such file");
    fs::create_dir(place.path().join("sub")).unwrap();
    assert_eq!(open("sub"), "could not open 'sub': it is a directory");
    let open_read_only = |name: &str| message(Image::open(&directory, name, &read_only()));
    assert_eq!(open_read_only("sub"), "could not open 'sub': it is a directory");
    let outside = ": it leads out of the directory that images may be in";
    assert_eq!(open("../x"), format!("could not open '../x'{outside}"));
    symlink("/etc/passwd", place.path().join("link")).unwrap();
    assert_eq!(open("link"), format!("could not open 'link'{outside}"));
    assert_eq!(open("sub/../none"), "could not open 'sub/../none': there is no such file");
    let (kind, mode) = (rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o600));
    rustix::fs::mknodat(rustix::fs::CWD, place.path().join("pipe"), kind, mode, 0).unwrap();
    let kind = "could not open 'pipe': it is neither a file nor a block device";
    assert_eq!((open("pipe").as_str(), open_read_only("pipe").as_str()), (kind, kind));
}

#[test]
fn refusals_of_the_system_are_told_apart() {
    let message = |errno: rustix::io::Errno, access| {
        refusal(errno.into(), "a.img".to_owned(), access).to_string()
    };
    let (rw, ro) = (Access::ReadWrite, Access::ReadOnly);
    assert_eq!(
        message(rustix::io::Errno::ACCESS, ro),
        "could not open 'a.img' for reading: permission denied"
    );
    assert_eq!(
        message(rustix::io::Errno::PERM, rw),
        "could not open 'a.img' for reading and writing: permission denied"
    );
    assert_eq!(
        message(rustix::io::Errno::ROFS, rw),
        "could not open 'a.img' for writing: its file system is read-only; say read-only=on"
    );
    assert!(message(rustix::io::Errno::LOOP, rw).starts_with("could not open 'a.img': "));
    let (place, directory) = place();
    image(&place, "a.img", 512);
    let path = place.path().join("a.img");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    // Root may write nevertheless.
    if !rustix::process::geteuid().is_root() {
        let error = Image::open(&directory, "a.img", &ImageOptions::default()).unwrap_err();
        assert!(matches!(error, OpenError::Permission { .. }));
    }
    assert!(Image::open(&directory, "a.img", &read_only()).is_ok());
}

#[test]
fn an_odd_image_is_padded_with_zeros() {
    let (place, directory) = place();
    image(&place, "odd.img", 1000);
    let image = Image::open(&directory, "odd.img", &ImageOptions::default()).unwrap();
    assert_eq!(image.size(), 1024);
    let warning = "the size of 'odd.img', 1000 bytes, is not a multiple of 512; the rest is zeros";
    assert_eq!(image.warnings().iter().map(Warning::to_string).collect::<Vec<_>>(), [warning]);
    let mut medium = image.into_medium();
    let sector = read(&mut medium, 512, 512);
    assert_eq!(sector[487], (999 / 7) as u8);
    assert_eq!(sector[488..], [0; 24]);
    write(&mut medium, 512, vec![7; 512]);
    drop(medium);
    assert_eq!(fs::metadata(place.path().join("odd.img")).unwrap().len(), 1024);
}

#[test]
fn an_empty_image_and_one_of_another_format_are_warned_of() {
    let (place, directory) = place();
    image(&place, "empty.img", 0);
    fs::write(place.path().join("disk"), [&b"QFI\xfb\0\0\0\x03"[..], &[0; 504]].concat()).unwrap();
    let open = |name: &str| Image::open(&directory, name, &ImageOptions::default()).unwrap();
    assert_eq!(open("empty.img").size(), 0);
    assert_eq!(open("empty.img").warnings(), [Warning::Empty("empty.img".to_owned())]);
    let warning = Warning::Format { name: "disk".to_owned(), format: "qcow2" };
    assert_eq!(open("disk").warnings(), [warning]);
}

#[test]
fn a_file_that_was_cut_reads_as_zeros() {
    let (place, directory) = place();
    image(&place, "a.img", 1 << 20);
    let mut medium = Image::open(&directory, "a.img", &read_only()).unwrap().into_medium();
    let path = place.path().join("a.img");
    fs::File::options().write(true).open(path).unwrap().set_len(1024).unwrap();
    let bytes = read(&mut medium, 512, (1 << 20) - 512);
    assert!(bytes[512..].iter().all(|byte| *byte == 0));
    assert_eq!(bytes[511], (1023 / 7) as u8);
}

#[test]
fn images_are_locked_and_unlocked() {
    let (place, directory) = place();
    image(&place, "a.img", 4096);
    let writer = ImageOptions::default();
    let open = |options: &ImageOptions| Image::open(&directory, "a.img", options);
    let first = open(&writer).unwrap();
    assert_eq!(
        message(open(&writer)),
        "Failed to get \"write\" lock; is another process using the image 'a.img'? \
         End that one, or say file.locking=off if their guests know of each other"
    );
    assert!(message(open(&read_only())).starts_with("Failed to get shared \"write\" lock;"));
    let off = ImageOptions { locking: Locking::Off, ..writer };
    open(&off).unwrap();
    drop(first.into_medium());
    let shared = ImageOptions { share_rw: true, ..writer };
    let _first = open(&shared).unwrap();
    let _second = open(&shared).unwrap();
    assert!(open(&writer).is_err());
}

#[test]
fn readers_do_not_mind_each_other() {
    let (place, directory) = place();
    image(&place, "a.img", 4096);
    let open = |options: &ImageOptions| Image::open(&directory, "a.img", options);
    let _first = open(&read_only()).unwrap();
    let _second = open(&ImageOptions { fixed_size: true, ..read_only() }).unwrap();
    assert!(message(open(&ImageOptions::default())).starts_with("Failed to get \"write\" lock;"));
}

#[test]
fn descriptors_can_be_given() {
    let (place, _) = place();
    image(&place, "a.img", 4096);
    let path = place.path().join("a.img");
    let open = |write| fs::File::options().read(true).write(write).open(&path).unwrap();
    let writer = ImageOptions::default();
    let given = |file: fs::File, options: &ImageOptions| {
        Image::from_descriptor(file.into(), "fd:5", options)
    };
    assert_eq!(
        message(given(open(false), &writer)),
        "the descriptor given for 'fd:5' is not open for reading and writing"
    );
    let write_only = fs::File::options().write(true).open(&path).unwrap();
    assert!(matches!(given(write_only, &read_only()), Err(OpenError::Descriptor { .. })));
    assert!(given(open(true), &read_only()).is_ok());
    let file = open(true);
    let first = given(file.try_clone().unwrap(), &writer).unwrap();
    // The same description again, and yet another user.
    assert!(matches!(given(file.try_clone().unwrap(), &writer), Err(OpenError::Locked { .. })));
    drop(first);
    let mut medium = given(file, &writer).unwrap().into_medium();
    write(&mut medium, 1024, vec![9; 512]);
    assert_eq!(fs::read(&path).unwrap()[1024..1536], [9; 512]);
}

#[test]
fn a_shared_description_is_unlocked_and_its_position_left_alone() {
    let (place, _) = place();
    image(&place, "a.img", 1 << 20);
    let path = place.path().join("a.img");
    let file = fs::File::options().read(true).write(true).open(&path).unwrap();
    rustix::fs::seek(&file, SeekFrom::Start(12345)).unwrap();
    let shared = |file: &fs::File| {
        let options = ImageOptions { cache: Cache::None, ..ImageOptions::default() };
        Image::new(file.try_clone().unwrap(), false, "a".to_owned(), &options).unwrap()
    };
    let image = shared(&file);
    assert!(matches!(image.warnings(), [Warning::Cached { .. }]));
    let mut medium = image.into_medium();
    let bytes = read(&mut medium, 0, 1 << 20);
    write(&mut medium, 0, bytes);
    drop(medium);
    assert_eq!(rustix::fs::tell(&file).unwrap(), 12345);
    let directory = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
    Image::open(&directory, "a.img", &ImageOptions::default()).unwrap();
}

/// Moves data through all ways there are: straight, gathered, direct.
fn round_trip(cache: Cache) {
    let (place, directory) = place();
    image(&place, "a.img", 8 << 20);
    let options = ImageOptions { cache, ..ImageOptions::default() };
    let mut medium = Image::open(&directory, "a.img", &options).unwrap().into_medium();
    let mut expected = fs::read(place.path().join("a.img")).unwrap();
    let lengths = [2, 70_000, 510, 4096, 300, 212, 131_072, 1 << 20, 3 << 20, 512, 102, 410];
    let total: usize = lengths.iter().sum::<usize>().next_multiple_of(512);
    let mut bytes: Vec<u8> = (0..total).map(|index| (index * 31 / 8) as u8).collect();
    expected[1536..1536 + total].copy_from_slice(&bytes);
    let cut = |bytes: &mut [u8], check: &mut dyn FnMut(&mut [Buffer<'_>])| {
        let (mut rest, mut buffers) = (bytes, Vec::new());
        for length in lengths {
            let (now, later) = rest.split_at_mut(length.min(rest.len()));
            buffers.push(Buffer::from(now));
            rest = later;
        }
        buffers.push(Buffer::from(rest));
        check(&mut buffers);
    };
    let backend = &mut *medium.backend;
    cut(&mut bytes, &mut |buffers| write_all(backend, 1536, buffers).unwrap());
    let mut back = vec![0; total];
    cut(&mut back, &mut |buffers| read_exact(backend, 1536, buffers).unwrap());
    assert_eq!(back, bytes);
    backend.flush().unwrap();
    assert!(fs::read(place.path().join("a.img")).unwrap() == expected);
}

#[test]
fn data_arrives_in_every_cache_mode() {
    for cache in
        [Cache::Writeback, Cache::Writethrough, Cache::None, Cache::Directsync, Cache::Unsafe]
    {
        round_trip(cache);
    }
}

#[test]
fn direct_io_is_not_possible_for_odd_images() {
    let (place, directory) = place();
    image(&place, "odd.img", 5000);
    let options = ImageOptions { cache: Cache::None, ..ImageOptions::default() };
    let image = Image::open(&directory, "odd.img", &options).unwrap();
    assert!(image.warnings().iter().any(|warning| matches!(warning, Warning::Cached { .. })));
    assert_eq!(read(&mut image.into_medium(), 4608, 512)[392..], [0; 120]);
}
