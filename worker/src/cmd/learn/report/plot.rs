//! Plots as SVG text.

use chrono::{DateTime, Utc};
use plotters::{coord::Shift, prelude::*};

/// Width and height of a plot, pixels.
const SIZE: (u32, u32) = (760, 220);
const SMALL: (u32, u32) = (370, 150);
const COLOURS: [RGBColor; 5] = [
    RGBColor(31, 87, 164),
    RGBColor(201, 92, 24),
    RGBColor(37, 128, 79),
    RGBColor(132, 64, 148),
    RGBColor(90, 90, 90),
];

/// A line, and perhaps the band around it.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    /// Place, lower and upper end.
    pub(super) band: Vec<(f64, f64, f64)>,
}

/// What stands on the axis below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// Days since 1970.
    Days,
    /// Numbers.
    Count,
}

/// Days since 1970.
pub(super) fn day(at: DateTime<Utc>) -> f64 {
    f64::from(i32::try_from(at.timestamp() / 60).unwrap_or_default()) / 1440.0
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Lines with their bands. None if there is nothing to plot.
pub(super) fn lines(all: &[Series], below: Below) -> Option<String> {
    drawn(SIZE, |area| draw_lines(area, all, below, all.len() > 1))
}

/// One line without a legend, half as wide.
pub(super) fn small(one: &Series) -> Option<String> {
    drawn(SMALL, |area| draw_lines(area, std::slice::from_ref(one), Below::Days, false))
}

/// What was against what was said to be, with the line on which both are one.
pub(super) fn against(points: &[(f64, f64)]) -> Option<String> {
    drawn((360, 300), |area| {
        let (x, y) = ranges(points.iter().copied().chain([(0.0, 0.0)]))?;
        let (low, high) = (x.0.min(y.0), x.1.max(y.1));
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(56)
            .build_cartesian_2d(low..high, low..high)
            .ok()?;
        chart
            .configure_mesh()
            .x_desc("predicted")
            .y_desc("actual")
            .light_line_style(WHITE)
            .draw()
            .ok()?;
        chart.draw_series(LineSeries::new([(low, low), (high, high)], BLACK.mix(0.3))).ok()?;
        let dots = points.iter().map(|at| Circle::new(*at, 4, BLUE.mix(0.7).filled()));
        chart.draw_series(dots).ok().map(drop)
    })
}

fn drawn(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Option<()>) -> Option<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area)?;
        area.present().ok()?;
    }
    Some(text)
}

fn draw_lines(area: &Area<'_>, all: &[Series], below: Below, legend: bool) -> Option<()> {
    let ends = all.iter().flat_map(|one| {
        let band = one.band.iter().flat_map(|(x, low, high)| [(*x, *low), (*x, *high)]);
        one.points.iter().copied().chain(band)
    });
    let (x, mut y) = ranges(ends)?;
    if legend {
        // Room for it above the lines.
        y.1 += 0.45 * (y.1 - y.0);
    }
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .x_label_area_size(26)
        .y_label_area_size(60)
        .build_cartesian_2d(x.0..x.1, y.0..y.1)
        .ok()?;
    let label = |x: &f64| match below {
        Below::Days => date(*x),
        Below::Count => format!("{x:.0}"),
    };
    chart
        .configure_mesh()
        .x_labels(6)
        .y_labels(5)
        .x_label_formatter(&label)
        .light_line_style(WHITE)
        .draw()
        .ok()?;
    if y.0 < 0.0 && y.1 > 0.0 {
        chart.draw_series(LineSeries::new([(x.0, 0.0), (x.1, 0.0)], BLACK.mix(0.5))).ok()?;
    }
    for (one, colour) in all.iter().zip(COLOURS.iter().cycle()) {
        let upper = one.band.iter().map(|(x, _, high)| (*x, *high));
        let lower = one.band.iter().rev().map(|(x, low, _)| (*x, *low));
        let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
        chart.draw_series([Polygon::new(outline, colour.mix(0.15))]).ok()?;
        let line = LineSeries::new(one.points.iter().copied(), colour.stroke_width(2));
        let drawn = chart.draw_series(line).ok()?;
        if legend {
            let colour = *colour;
            drawn.label(&one.name).legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2))
            });
        }
    }
    if legend {
        let place = SeriesLabelPosition::UpperLeft;
        let mut labels = chart.configure_series_labels();
        labels.position(place).background_style(WHITE.mix(0.8)).draw().ok()?;
    }
    Some(())
}

fn date(day: f64) -> String {
    #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "`as` saturates")]
    let seconds = (day * 86_400.0) as i64;
    DateTime::from_timestamp(seconds, 0)
        .map_or_else(String::new, |at| at.format("%m-%d").to_string())
}

/// From least to greatest of both, never a point; none of nothing.
fn ranges(points: impl Iterator<Item = (f64, f64)>) -> Option<((f64, f64), (f64, f64))> {
    let finite = points.filter(|(x, y)| x.is_finite() && y.is_finite());
    let wide = |(low, high): (f64, f64)| {
        let room = if high > low { (high - low) * 0.04 } else { high.abs().max(1.0) * 0.1 };
        (low - room, high + room)
    };
    let both = finite.fold(None, |found, (x, y)| {
        let ((a, b), (c, d)) = found.unwrap_or(((x, x), (y, y)));
        Some(((a.min(x), b.max(x)), (c.min(y), d.max(y))))
    });
    both.map(|(x, y)| (wide(x), wide(y)))
}
