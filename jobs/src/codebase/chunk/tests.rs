use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::*;

/// Words and marks: near enough to a model's tokens.
fn count(text: &str) -> usize {
    let mut words = 0;
    let mut inside = false;
    for c in text.chars() {
        let word = c.is_alphanumeric();
        words += usize::from((word && !inside) || (!word && !c.is_whitespace()));
        inside = word;
    }
    words
}

fn chunks(path: &str, source: &str, most: usize) -> Vec<Chunk> {
    let language = crate::codebase::language::of(path, source);
    let sizes = Sizes { most, joined: most / 2, least: most / 12 };
    let chunks = split(source, language, sizes, &count);
    let whole: String = chunks.iter().map(|c| source.get(c.bytes.clone()).unwrap()).collect();
    assert_eq!(whole, source);
    for chunk in &chunks {
        let text = source.get(chunk.bytes.clone()).unwrap();
        let single = text.chars().nth(1).is_none();
        assert!(count(text) <= most || single, "{} tokens: {text}", count(text));
    }
    chunks
}

fn told(path: &str, source: &str, most: usize) -> Vec<(&'static str, String, (u32, u32))> {
    let told = |c: Chunk| (c.kind.as_str(), c.symbol.unwrap_or_default(), c.lines);
    chunks(path, source, most).into_iter().map(told).collect()
}

#[test]
fn rust_items_are_chunks_with_their_comments() {
    let source = "use std::fmt;\nuse std::io;\n\n/// A point.\n#[derive(Debug)]\npub struct Point {\n    x: f64,\n    y: f64,\n}\n\nimpl fmt::Display for Point {\n    /// As text.\n    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {\n        write!(f, \"{} {}\", self.x, self.y)\n    }\n\n    fn other(&self) -> f64 {\n        self.x + self.y + self.x * self.y - self.x\n    }\n}\n";
    assert_eq!(
        told("a.rs", source, 72),
        [
            ("import", String::new(), (1, 2)),
            ("class", "Point".into(), (3, 9)),
            ("class", "Point".into(), (10, 11)),
            ("method", "Point::fmt".into(), (12, 15)),
            ("method", "Point::other".into(), (16, 20)),
        ]
    );
}

fn symbols(path: &str, source: &str, most: usize) -> Vec<(&'static str, String)> {
    let mut all: Vec<_> = chunks(path, source, most)
        .into_iter()
        .filter_map(|c| Some((c.kind.as_str(), c.symbol?)))
        .collect();
    all.dedup();
    all
}

const PYTHON: &str = r#"import os
from a import b


class Boat(Base):
    """Floats on water and carries people from here to there."""

    deck = 1

    @property
    def name(self):
        return self.first + self.second + self.third

    async def sail(self, wind):
        self.speed = wind.speed * self.area
        return self.speed


@cached(ttl=5)
def harbour(name):
    return find(name, where='north', kind='deep')
"#;
const TYPESCRIPT: &str = r"import { a } from './a';

/** A shape. */
export interface Shape {
  area(): number;
  name: string;
}

export type Id = string | number;

export enum Colour { Red, Green }

export abstract class Base<T> {
  private x = 1;
  @log()
  async load(id: Id): Promise<T> {
    const found = await this.store.find(id, { deep: true });
    return found ?? this.fallback(id);
  }
}

export const area = (s: Shape): number => {
  return s.area() + s.area() * 2 + s.name.length;
};

function* walk() {
  yield 1; yield 2; yield 3; yield 4; yield 5;
}
";
const GO: &str = r#"package boat

import (
	"fmt"
)

// Boat floats.
type Boat struct {
	Name string
	Deck int
}

// Sail moves it.
func (b *Boat) Sail(wind int) error {
	fmt.Println(b.Name, wind, b.Deck)
	return nil
}

func New(name string) *Boat {
	return &Boat{Name: name, Deck: 1}
}
"#;
const JAVA: &str = r#"package a.b;

import java.util.List;

/** Floats. */
@Entity
public class Boat extends Ship {
    private int deck;

    public Boat(int deck) {
        this.deck = deck; this.name = "a"; this.sails = 2;
    }

    @Override
    public void sail(Wind wind) {
        this.speed = wind.speed() * this.sails + this.deck;
    }
}

interface Floats {
    void sink(); void rise(); void turn(int degrees, boolean fast);
}
"#;

#[test]
fn symbols_have_qualified_names() {
    let named = |path: &str, source: &str| {
        let all = symbols(path, source, 60).into_iter();
        all.map(|(kind, name)| format!("{kind} {name}")).collect::<Vec<_>>()
    };
    assert_eq!(
        named("a.py", PYTHON),
        ["class Boat", "method Boat.name", "method Boat.sail", "function harbour"]
    );
    assert_eq!(
        named("a.ts", TYPESCRIPT),
        [
            "interface Shape",
            "type_alias Id",
            "class Base",
            "method Base.load",
            "function area",
            "function walk"
        ]
    );
    assert_eq!(named("a.go", GO), ["class Boat", "method Boat.Sail", "function New"]);
    assert_eq!(
        named("A.java", JAVA),
        ["class Boat", "method Boat.Boat", "method Boat.sail", "interface Floats"]
    );
}

#[test]
fn text_is_cut_at_headings() {
    let text = "# Boats\n\nThey float.\n\n## Sails\n\nThey pull. And they pull again and again, all day.\n\n```sh\n# no heading\n```\n\n## Oars\n\nThey push, when there is no wind, or too much of it.\n";
    let all = symbols("a.md", text, 24);
    let names: Vec<&str> = all.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["Boats", "Sails", "Oars"]);
}

/// What a stranger's file may look like.
fn broken(source: &str, random: &mut StdRng) -> String {
    const JUNK: [&str; 11] =
        ["{{{{", "}}}", "\"", "'''", "/*", "\r\n", "\u{feff}", "\u{0}", "😀", "\t\t", "\n\n\n"];
    let mut text = source.to_owned();
    for _ in 0..random.random_range(0..6) {
        let at = text.floor_char_boundary(random.random_range(0..=text.len()));
        let junk = JUNK.choose(random).unwrap();
        match random.random_range(0..5) {
            0 => text.truncate(at),
            1 => text = text.replace('\n', "\r\n"),
            2 => text = text.split_inclusive('\n').rev().collect(),
            3 => text.insert_str(at, &junk.repeat(300)),
            _ => text.insert_str(at, junk),
        }
    }
    text
}

/// Every language, whole and broken: without a gap, small enough (`chunks` looks), and the same each time.
#[test]
fn nothing_is_lost_of_any_file() {
    let mut random = StdRng::seed_from_u64(20_261_121);
    let samples =
        [PYTHON, TYPESCRIPT, GO, JAVA, include_str!("outline.rs"), include_str!("layout.rs")];
    for language in crate::codebase::language::ALL {
        for sample in samples {
            for _ in 0..4 {
                let text = broken(sample, &mut random);
                let path = format!("a.{}", language.extension());
                let most = random.random_range(17..300);
                assert_eq!(chunks(&path, &text, most), chunks(&path, &text, most), "{path}");
            }
        }
    }
}

#[test]
fn odd_files_take_no_longer_and_no_deeper() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for path in ["a.rs", "a.py", "a.ts", "a.go", "a.java", "a.md"] {
        for text in [
            deep("(", ")"),
            deep("{", ""),
            deep("[", "]\n"),
            format!("a = {}", "1 + ".repeat(60_000)),
            "x".repeat(1 << 20),
            "😀".repeat(100_000),
            "\n".repeat(100_000),
            "fn f() {\n".repeat(20_000),
            "\u{feff}\r\n\r\n".into(),
        ] {
            chunks(path, &text, 230);
        }
    }
}
