//! A small device in WebAssembly's text format, of which any part can be replaced.
//!
//! Registers of 32 bits, by their offset in the region:
//!
//! | Offset | Read                        | Write                        |
//! |--------|-----------------------------|------------------------------|
//! | 0x00   | the count                   | adds to the count            |
//! | 0x04   | how often `in` has changed  | bit 0 is the level of `out`  |
//! | 0x08   | how often the timer expired | arms it so many ns from now  |
//! | 0x0c   | what was written last       | is kept, also over resets    |

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use super::layout::{BASE, Layout, List, Record};

/// The exports with their parameters and, as core WebAssembly has them.
const EXPORTS: [(&str, &str); 10] = [
    ("describe", "(result i32)"),
    ("configure", "(param $properties i32) (param $length i32) (result i32)"),
    ("describe-state", "(result i32)"),
    ("reset", "(param $now i64)"),
    (
        "io-read",
        "(param $region i32) (param $offset i64) (param $size i32) (param $now i64) (result i64)",
    ),
    (
        "io-write",
        "(param $region i32) (param $offset i64) (param $size i32) (param $value i64) (param \
         $now i64)",
    ),
    ("line-changed", "(param $line i32) (param $level i32) (param $now i64)"),
    ("timer-expired", "(param $timer i32) (param $now i64)"),
    ("save", "(param $scope i32) (param $now i64) (result i32)"),
    (
        "load",
        "(param $scope i32) (param $sections i32) (param $length i32) (param $now i64) (result i32)",
    ),
];

const IMPORTS: &str = r#"
(import "southbridge:device/lines@0.2.0" "set" (func $set (param i32 i32)))
(import "southbridge:device/regions@0.2.0" "map" (func $map (param i32 i64 i32)))
(import "southbridge:device/timers@0.2.0" "arm" (func $arm (param i32 i64)))
"#;

/// What the host writes arguments to: a heap that the exports with lists empty.
const REALLOC: &str = r#"
(local $at i32)
(local.set $at (i32.and
    (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
    (i32.sub (i32.const 0) (local.get $align))))
(global.set $top (i32.add (local.get $at) (local.get $size)))
(local.get $at)
"#;

const IO_READ: &str = r#"
(if (i64.eqz (local.get $offset)) (then (return (i64.extend_i32_u (global.get $count)))))
(if (i64.eq (local.get $offset) (i64.const 4))
    (then (return (i64.extend_i32_u (global.get $edges)))))
(if (i64.eq (local.get $offset) (i64.const 8))
    (then (return (i64.extend_i32_u (global.get $expiries)))))
(global.get $kept)
"#;

const IO_WRITE: &str = r#"
(if (i64.eqz (local.get $offset)) (then
    (global.set $count (i32.add (global.get $count) (i32.wrap_i64 (local.get $value))))))
(if (i64.eq (local.get $offset) (i64.const 4)) (then
    (call $set (i32.const 0) (i32.and (i32.wrap_i64 (local.get $value)) (i32.const 1)))))
(if (i64.eq (local.get $offset) (i64.const 8)) (then
    (call $arm (i32.const 0) (i64.add (local.get $now) (local.get $value)))))
(if (i64.eq (local.get $offset) (i64.const 12)) (then (global.set $kept (local.get $value))))
"#;

/// Where `result`s that are no errors are: zeros.
const OK: &str = "(i32.const 0x100)";

/// Where the count is saved.
const SAVED: u32 = 0x200;

/// A device.
#[derive(Clone)]
pub(crate) struct Device {
    imports: String,
    bodies: BTreeMap<&'static str, String>,
    more: String,
    realloc: String,
    memory: &'static str,
    pub(crate) layout: Layout,
}

impl Device {
    /// One that behaves, with its registers at ports from `base` on.
    pub(crate) fn good(base: u16) -> Self {
        let mut layout = Layout::new();
        let description = description(&mut layout, &[]);
        let count = counter(&mut layout, 1, 4, None);
        let state = state(&mut layout, &[count]);
        let name = layout.text("hostile");
        let data = List { at: SAVED, length: 4 };
        let sections = layout.list(&[Record::new().list(name).word(1).list(data)]);
        let saved = layout.record(&Record::new().list(sections));

        let empty = "(global.set $top (i32.const 0x10000))";
        let mut bodies = BTreeMap::new();
        let mut body = |export, text: String| bodies.insert(export, text);
        body("describe", format!("(i32.const {description})"));
        let map = format!("(call $map (i32.const 0) (i64.const {base}) (i32.const 0))");
        body("configure", format!("{empty} {map} {OK}"));
        body("describe-state", format!("(i32.const {state})"));
        let low = "(call $set (i32.const 0) (i32.const 0))";
        body("reset", format!("(global.set $count (i32.const 0)) {low}"));
        body("io-read", IO_READ.into());
        body("io-write", IO_WRITE.into());
        body("line-changed", increment("$edges"));
        body("timer-expired", increment("$expiries"));
        let store = format!("(i32.store (i32.const {SAVED}) (global.get $count))");
        body("save", format!("{store} (i32.const {saved})"));
        let data = "(i32.load (i32.load (i32.add (local.get $sections) (i32.const 12))))";
        let take =
            format!("(if (local.get $length) (then (global.set $count {data}))) {empty} {OK}");
        body("load", take);
        Self {
            imports: IMPORTS.into(),
            bodies,
            more: String::new(),
            realloc: REALLOC.into(),
            memory: "2",
            layout,
        }
    }

    /// Does something else in an export.
    pub(crate) fn with(mut self, export: &'static str, body: impl Into<String>) -> Self {
        assert!(self.bodies.insert(export, body.into()).is_some(), "there is no {export}");
        self
    }

    /// Imports a function of the contract, called `$interface-name`.
    pub(crate) fn importing(mut self, interface: &str, name: &str, kind: &str) -> Self {
        writeln!(
            self.imports,
            "(import \"southbridge:device/{interface}@0.2.0\" \"{name}\" \
             (func ${interface}-{name} {kind}))"
        )
        .expect("a string takes it");
        self
    }

    /// Has more in its module.
    pub(crate) fn and(mut self, more: &str) -> Self {
        self.more.push_str(more);
        self
    }

    /// Hands out memory in another way.
    pub(crate) fn allocating(mut self, body: &str) -> Self {
        self.realloc = body.into();
        self
    }

    /// Has a memory of so many pages.
    pub(crate) const fn sized(mut self, pages: &'static str) -> Self {
        self.memory = pages;
        self
    }

    /// Returns from an export the address of a record of its data.
    pub(crate) fn answering(self, export: &'static str, at: u32) -> Self {
        self.with(export, format!("(i32.const {at})"))
    }

    /// The component.
    pub(crate) fn component(&self) -> Vec<u8> {
        encode(&self.module())
    }

    fn module(&self) -> Vec<u8> {
        let Self { imports, bodies, more, realloc, memory, layout } = self;
        let mut functions = String::new();
        for (export, kind) in EXPORTS {
            let name = format!("southbridge:device/device@0.2.0#{export}");
            let body = &bodies[export];
            writeln!(functions, "(func ${export} (export \"{name}\") {kind} {body})")
                .expect("a string takes it");
        }
        let data: String = layout.bytes().iter().map(|byte| format!("\\{byte:02x}")).collect();
        let text = format!(
            r#"(module $device
            {imports}
            (memory (export "memory") {memory})
            (global $top (mut i32) (i32.const 0x10000))
            (global $count (mut i32) (i32.const 0))
            (global $edges (mut i32) (i32.const 0))
            (global $expiries (mut i32) (i32.const 0))
            (global $kept (mut i64) (i64.const 0))
            (data (i32.const {BASE}) "{data}")
            (func $realloc (export "cabi_realloc")
                (param $old i32) (param $length i32) (param $align i32) (param $size i32)
                (result i32) {realloc})
            {functions}
            {more})"#
        );
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// The component of a core module that exports the contract.
pub(crate) fn encode(module: &[u8]) -> Vec<u8> {
    static CONTRACT: OnceLock<(Resolve, WorldId)> = OnceLock::new();
    let (resolve, world) = CONTRACT.get_or_init(|| {
        let mut resolve = Resolve::default();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
        let (package, _) = resolve.push_dir(directory).expect("the contract is sound");
        let world = resolve.select_world(&[package], Some("device-component"));
        let world = world.expect("it has this world");
        (resolve, world)
    });
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, resolve, *world, StringEncoding::UTF8)
        .expect("the contract can be encoded");
    let mut encoder = ComponentEncoder::default();
    let component = encoder.module(&module).and_then(|encoder| encoder.encode());
    component.unwrap_or_else(|error| panic!("{error:#}"))
}

fn increment(global: &str) -> String {
    format!("(global.set {global} (i32.add (global.get {global}) (i32.const 1)))")
}

/// Places the description of the device, with more timers, and returns where it is.
pub(crate) fn description(layout: &mut Layout, more_timers: &[&str]) -> u32 {
    let sizes = |record: Record| record.byte(4).byte(4).byte(0);
    let name = layout.text("registers");
    let region = Record::new().list(name).byte(0).long(16);
    let region = sizes(sizes(region)).optional(None);
    let regions = layout.list(&[region]);
    let (out, into) = (layout.text("out"), layout.text("in"));
    let line = |name, direction| Record::new().list(name).byte(direction);
    let lines = layout.list(&[line(out, 1), line(into, 0)]);
    let timers: Vec<_> = ["timer"].into_iter().chain(more_timers.iter().copied()).collect();
    let timers = layout.texts(&timers);
    let bus = Record::new().list(layout.text("pci")).byte(0).optional(None);
    let buses = layout.list(&[bus]);
    let streams = layout.texts(&["data"]);
    let none = layout.list(&[]);
    let [name, version, build, summary] =
        ["hostile", "1.0.0", "", "A device for tests"].map(|text| layout.text(text));
    let record = Record::new().list(name).list(version).list(build).list(summary).byte(0);
    // Properties; regions, lines, timers, buses, streams; windows, memories, drives.
    let lists = [none, regions, lines, timers, buses, streams, none, none, none];
    layout.record(&lists.into_iter().fold(record, Record::list))
}

/// A field of the state.
pub(crate) fn counter(
    layout: &mut Layout,
    count: u32,
    size: u32,
    structure: Option<u32>,
) -> Record {
    let (name, kind) = (layout.text("count"), layout.text("uint32"));
    let record = Record::new().list(name).list(kind).word(0).word(size).word(count);
    record.no_text().optional(structure)
}

/// Places a description of the state, of one section with such structures, each with
/// one field, and returns where it is.
pub(crate) fn state(layout: &mut Layout, fields: &[Record]) -> u32 {
    let name = layout.text("hostile");
    let none = layout.list(&[]);
    let structures: Vec<_> = (fields.iter())
        .map(|field| {
            let fields = layout.list(std::slice::from_ref(field));
            Record::new().list(name).word(1).word(1).list(fields).list(none)
        })
        .collect();
    let structures = layout.list(&structures);
    let section = Record::new().list(name).byte(0).no_text().word(0);
    let sections = layout.list(&[section]);
    layout.record(&Record::new().list(sections).list(structures))
}
