//! `GET /theme/{color}.css`: the colours of the chat, made of one that a site chose, by day and by night.
//!
//! Whatever the colour, words can be read and edges be seen: WCAG 2.2, 4.5 to 1 for words and 3 to 1 for what is no word. A style
//! sheet of our own is what the content policy allows; an inline style is not.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Site;
use super::problem::Problem;

/// Contrast that words need, and what is no word.
const WORDS: f64 = 4.5;
const EDGES: f64 = 3.0;

/// Steps from a colour to one that can be read.
const STEPS: u32 = 40;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/theme/{name}", get(sheet))
}

/// A colour, by its parts of red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Color([u8; 3]);

impl Color {
    /// `0b6e5f`, with or without `#` before it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// Six hexadecimal digits.
    pub(super) fn hex(self) -> String {
        crate::domain::text::hex(&self.0)
    }

    /// Relative luminance.
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }

    /// So many of [`STEPS`] on the way to another.
    fn toward(self, other: Self, steps: u32) -> Self {
        let part = |index: usize| {
            let (from, to) = (u32::from(self.0[index]), u32::from(other.0[index]));
            u8::try_from((from * (STEPS - steps) + to * steps + STEPS / 2) / STEPS).unwrap_or(u8::MAX)
        };
        Self([part(0), part(1), part(2)])
    }

    /// The nearest on the way to `ink` that stands out from all of `grounds`.
    fn standing_out(self, ink: Self, grounds: &[Self], contrast: f64) -> Self {
        let stands_out = |one: &Self| grounds.iter().all(|ground| one.contrast(*ground) >= contrast);
        (0..=STEPS).map(|steps| self.toward(ink, steps)).find(stands_out).unwrap_or(ink)
    }
}

/// What a page's ground is by day or by night: as in `base.css`.
struct Ground {
    paper: Color,
    surface: Color,
    ink: Color,
    /// How much of the colour is in what is only tinted.
    tint: u32,
}

const WHITE: Color = Color([0xff, 0xff, 0xff]);
const BLACK: Color = Color([0, 0, 0]);

const DAY: Ground =
    Ground { paper: Color([0xf6, 0xf4, 0xef]), surface: WHITE, ink: Color([0x1c, 0x25, 0x23]), tint: 5 };

const NIGHT: Ground = Ground {
    paper: Color([0x12, 0x17, 0x15]),
    surface: Color([0x1a, 0x21, 0x1e]),
    ink: Color([0xe7, 0xec, 0xe9]),
    tint: 7,
};

/// The colours that a page takes from the one.
struct Palette {
    accent: Color,
    hover: Color,
    on_accent: Color,
    soft: Color,
    ink: Color,
}

impl Ground {
    fn palette(&self, color: Color) -> Palette {
        let accent = color.standing_out(self.ink, &[self.paper, self.surface], EDGES);
        let on_accent = if accent.contrast(WHITE) >= accent.contrast(BLACK) { WHITE } else { BLACK };
        let away = if on_accent == WHITE { BLACK } else { WHITE };
        let soft = self.surface.toward(accent, self.tint);
        let ink = color.standing_out(self.ink, &[self.paper, self.surface, soft], WORDS);
        Palette { accent, hover: accent.toward(away, 5), on_accent, soft, ink }
    }
}

impl Palette {
    fn properties(&self) -> String {
        let Self { accent, hover, on_accent, soft, ink } = self;
        [
            ("accent", accent),
            ("accent-hover", hover),
            ("on-accent", on_accent),
            ("accent-soft", soft),
            ("accent-ink", ink),
        ]
        .map(|(name, color)| format!("--{name}:#{};", color.hex()))
        .concat()
    }
}

async fn sheet(Path(name): Path<String>) -> Response {
    let Some(color) = name.strip_suffix(".css").and_then(Color::parse) else {
        return Problem::not_found().into_response();
    };
    let (day, night) = (DAY.palette(color).properties(), NIGHT.palette(color).properties());
    let text = format!(":root{{{day}}}\n@media (prefers-color-scheme: dark){{:root{{{night}}}}}\n");
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=86400")];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn contrast_is_what_the_standard_says() {
        assert!((WHITE.contrast(Color([0, 0, 0])) - 21.0).abs() < 1e-9);
        // #767676 on white is the well-known grey that just passes.
        let grey = Color::parse("#767676").unwrap();
        assert!((4.5..4.6).contains(&grey.contrast(WHITE)));
        assert!(Color::parse("777777").unwrap().contrast(WHITE) < 4.5);
    }

    #[test]
    fn a_color_is_six_digits_and_nothing_else() {
        for wrong in ["", "#fff", "0b6e5g", "0b6e5f0", "red", "url(x)", "#0b6e5f;", "０b6e5f"] {
            assert_eq!(Color::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Color::parse("#0B6E5F").unwrap().hex(), "0b6e5f");
    }

    proptest! {
        #[test]
        fn whatever_the_color_words_can_be_read(parts in any::<[u8; 3]>()) {
            for ground in [DAY, NIGHT] {
                let Palette { accent, hover, on_accent, soft, ink } = ground.palette(Color(parts));
                for (one, other, least) in [
                    (on_accent, accent, WORDS),
                    (on_accent, hover, WORDS),
                    (ink, soft, WORDS),
                    (ink, ground.paper, WORDS),
                    (ink, ground.surface, WORDS),
                    (ground.ink, soft, WORDS),
                    (accent, ground.paper, EDGES),
                    (accent, ground.surface, EDGES),
                ] {
                    let contrast = one.contrast(other);
                    prop_assert!(contrast >= least, "{} on {}: {contrast}", one.hex(), other.hex());
                }
            }
        }
    }
}
