use super::object::Object;
use super::path::resolve;
use crate::control::monitor::Error;

fn tree() -> Object {
    let bus = Object::new("bus", "BUS").with_link("child[0]", "b", "/a/b");
    let device = Object::new("b", "B").with_link("parent", "bus", "/a/bus").with("n", "int", 1);
    let round = Object::new("round", "R").with_link("round", "R", "/round/round");
    let other = Object::new("c", "C").with_parts([Object::new("b", "other")]);
    Object::new("", "root").with_parts([
        Object::new("a", "A").with_parts([bus, device]),
        other,
        round,
    ])
}

fn kind(path: &str) -> Result<String, Error> {
    let tree = tree();
    resolve(&tree, path).map(|found| found.object.kind.clone())
}

#[test]
fn paths_lead_through_parts_and_links() {
    for (path, expected) in [
        ("/", "root"),
        ("/a", "A"),
        ("//a//b/", "B"),
        ("/a/bus/child[0]", "B"),
        ("/a/b/parent/child[0]/parent", "BUS"),
        ("bus", "BUS"),
        ("a/b", "B"),
        ("bus/child[0]", "B"),
    ] {
        assert_eq!(kind(path), Ok(expected.to_owned()), "{path}");
    }
}

#[test]
fn a_link_leads_to_where_its_target_is() {
    let tree = tree();
    assert_eq!(resolve(&tree, "bus/child[0]").unwrap().path, "/a/b");
    assert_eq!(resolve(&tree, "/").unwrap().path, "");
}

#[test]
fn what_leads_nowhere_or_to_two_is_refused() {
    assert_eq!(kind("b"), Err(Error::Ambiguous("b".into())));
    for path in ["/b", "/a/n", "/a/b/n", "nope", "/round/round", "round/round/x"] {
        assert_eq!(kind(path), Err(Error::NoObject(path.into())), "{path}");
    }
}
