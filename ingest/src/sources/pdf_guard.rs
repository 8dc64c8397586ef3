//! PDF files that would exhaust the parser: it follows parents and forms without counting, and a
//! form that draws itself ends in a stack overflow, which nothing can catch.

use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream, content::Content};

/// Levels of the page tree, and of forms inside forms.
const PARENTS_MAX: usize = 64;
const FORMS_DEEP_MAX: usize = 12;
/// Forms drawn in all, each time they are drawn.
const FORMS_MAX: usize = 20_000;

/// Whether the page tree is shallow and the drawing of every page comes to an end.
pub(super) fn is_tame(document: &Document) -> bool {
    let mut budget = FORMS_MAX;
    document.get_pages().into_values().all(|page| {
        resources(document, page)
            .is_some_and(|all| all.iter().all(|r| ends(document, r, FORMS_DEEP_MAX, &mut budget)))
    })
}

/// Resources of a page and of its parents; `None` if the parents do not end.
fn resources(document: &Document, page: ObjectId) -> Option<Vec<&Dictionary>> {
    let mut found = Vec::new();
    let mut id = page;
    for _ in 0..PARENTS_MAX {
        let node = document.get_dictionary(id).ok()?;
        found.extend(dictionary(document, node, b"Resources"));
        match node.get(b"Parent").and_then(Object::as_reference) {
            Ok(parent) => id = parent,
            Err(_) => return Some(found),
        }
    }
    None
}

fn ends(document: &Document, resources: &Dictionary, depth: usize, budget: &mut usize) -> bool {
    let Some(objects) = dictionary(document, resources, b"XObject") else { return true };
    for (_, object) in objects {
        // Whatever it says that it is: the parser draws any stream.
        let Ok((_, Object::Stream(form))) = document.dereference(object) else { continue };
        if !draws(form) {
            continue;
        }
        *budget = budget.saturating_sub(1);
        if *budget == 0 || depth == 0 {
            return false;
        }
        // Without resources of its own a form draws with its caller's, and could draw itself.
        let inner = dictionary(document, &form.dict, b"Resources").unwrap_or(resources);
        if !ends(document, inner, depth.saturating_sub(1), budget) {
            return false;
        }
    }
    true
}

/// Read as the parser reads it: the bytes of a picture may say anything.
fn draws(form: &Stream) -> bool {
    let content = form.decompressed_content().unwrap_or_else(|_| form.content.clone());
    let said = content.windows(2).any(|operator| operator == b"Do");
    said && Content::decode(&content).is_ok_and(|c| c.operations.iter().any(|o| o.operator == "Do"))
}

fn dictionary<'d>(
    document: &'d Document,
    of: &'d Dictionary,
    key: &[u8],
) -> Option<&'d Dictionary> {
    let (_, object) = document.dereference(of.get(key).ok()?).ok()?;
    object.as_dict().ok()
}
