//! Memory regions as QEMU's memory API has them: ranges in containers, of which the
//! one of the highest priority answers, and aliases, which show a part of another.

/// What a region is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Io,
    Ram,
    Rom,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Io => "i/o",
            Self::Ram => "ram",
            Self::Rom => "rom",
        }
    }
}

/// A region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) name: String,
    /// The first address in the space.
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) priority: i32,
    pub(super) kind: Kind,
    /// What is seen through it cannot be written.
    pub(super) read_only: bool,
    pub(super) content: Content,
    /// Where the device or object is that it belongs to, as QEMU says it.
    pub(super) owner: Option<String>,
}

/// What is in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// It answers itself.
    Itself,
    /// Other regions, and it answers where none of them does.
    Backed(Vec<Region>),
    /// Other regions, and nothing where none of them is.
    Container(Vec<Region>),
    /// A part of the region of that name, from an address in it on.
    Alias(String, u64),
}

impl Region {
    pub(super) fn new(
        name: &str,
        (first, last): (u64, u64),
        priority: i32,
        kind: Kind,
        content: Content,
    ) -> Self {
        let (name, read_only, owner) = (name.into(), kind == Kind::Rom, None);
        Self { name, first, last, priority, kind, read_only, content, owner }
    }

    /// The region of that name that is this one or lies in it, and is no alias.
    pub(super) fn named(&self, name: &str) -> Option<&Self> {
        match &self.content {
            Content::Alias(..) => None,
            _ if self.name == name => Some(self),
            _ => self.children().into_iter().find_map(|child| child.named(name)),
        }
    }

    /// The regions in it, as QEMU lists them: by address, the highest priority
    /// first.
    pub(super) fn children(&self) -> Vec<&Self> {
        let mut children: Vec<&Self> = match &self.content {
            Content::Backed(children) | Content::Container(children) => children.iter().collect(),
            Content::Itself | Content::Alias(..) => Vec::new(),
        };
        children.sort_by_key(|child| (child.first, -child.priority));
        children
    }
}
