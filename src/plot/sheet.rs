//! The sheet that charts are drawn on: marks in points, and the one place where they become SVG.

use crate::error::shortened;
use crate::num::count;
use crate::{Error, ErrorKind, Result};
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle};
use plotters::prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, FontStyle, IntoFont, ShapeStyle, TextStyle};

/// How large a picture is shown, in pixels. Whatever the size, text keeps its share of the picture.
///
/// # Example
/// ```
/// use dealcast::plot::Size;
/// assert_eq!(Size::default(), Size::new(800, 450)?);
/// assert!(Size::new(0, 450).is_err() && Size::new(800, 10_000).is_err());
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    width: u32,
    height: u32,
}

impl Size {
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) unless both are from 200 to 4,000 pixels.
    pub fn new(width: u32, height: u32) -> Result<Self> {
        for (field, pixels) in [("width", width), ("height", height)] {
            if !(200..=4000).contains(&pixels) {
                return Err(Error::out_of_range(field, "200 to 4000 pixels", f64::from(pixels)));
            }
        }
        Ok(Self { width, height })
    }
}

impl Default for Size {
    /// 800 x 450, which fits a slide and a comment.
    fn default() -> Self {
        Self { width: 800, height: 450 }
    }
}

/// The smallest sheet, in points: what fits on it fits on all.
const SMALLEST: (f64, f64) = (800.0, 450.0);
/// Dots of the drawing a point: the backend rounds to whole dots, and curves should not show it.
const FINE: f64 = 4.0;
/// Longest text that is drawn, in characters.
const LONGEST: usize = 160;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ink(u8, u8, u8);

/// The colours of Okabe & Ito (2008), which colour-blind readers tell apart, and greys.
impl Ink {
    pub(super) const BLUE: Self = Self(0, 114, 178);
    pub(super) const SKY: Self = Self(86, 180, 233);
    pub(super) const PALE: Self = Self(204, 230, 247);
    pub(super) const ORANGE: Self = Self(230, 159, 0);
    pub(super) const VERMILION: Self = Self(213, 94, 0);
    pub(super) const GREEN: Self = Self(0, 158, 115);
    pub(super) const BLACK: Self = Self(34, 34, 34);
    pub(super) const GREY: Self = Self(95, 95, 95);
    pub(super) const LIGHT: Self = Self(222, 222, 222);
    pub(super) const WHITE: Self = Self(255, 255, 255);

    fn style(self) -> ShapeStyle {
        RGBColor(self.0, self.1, self.2).filled()
    }
}

pub(super) type Point = (f64, f64);

/// A part of the sheet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub(super) ink: Ink,
    pub(super) width: f64,
    /// Points drawn and left out, in turn; (0, 0) for a solid line.
    pub(super) dash: (f64, f64),
}

impl Stroke {
    pub(super) const fn solid(ink: Ink, width: f64) -> Self {
        Self { ink, width, dash: (0.0, 0.0) }
    }

    pub(super) const fn dashed(ink: Ink, width: f64, dash: (f64, f64)) -> Self {
        Self { ink, width, dash }
    }
}

/// How a text is set; its middle line goes through the point it is put at.
#[derive(Clone, Copy)]
pub(super) struct Type {
    size: f64,
    side: HPos,
    ink: Ink,
    bold: bool,
    upwards: bool,
}

impl Type {
    pub(super) const LABEL: Self =
        Self { size: 13.0, side: HPos::Left, ink: Ink::BLACK, bold: false, upwards: false };
    pub(super) const TICK: Self = Self { size: 12.0, ink: Ink::GREY, ..Self::LABEL };
    const TITLE: Self = Self { size: 20.0, bold: true, ..Self::LABEL };

    pub(super) const fn centred(self) -> Self {
        Self { side: HPos::Center, ..self }
    }

    pub(super) const fn ends_here(self) -> Self {
        Self { side: HPos::Right, ..self }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) const fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    pub(super) const fn upwards(self) -> Self {
        Self { upwards: true, ..self }
    }

    /// How wide a text is, about: no font is at hand to ask.
    pub(super) fn width(self, text: &str) -> f64 {
        let em = if self.bold { 0.62 } else { 0.56 };
        em * self.size * count(text.chars().count())
    }

    /// Small enough for a text to fit.
    fn within(self, text: &str, width: f64) -> Self {
        let most = width / (self.width(text) / self.size);
        Self { size: self.size.min(most.max(6.0)), ..self }
    }
}

enum Mark {
    Rectangle(Frame, Ink),
    Area(Vec<Point>, Ink),
    Line(Vec<Point>, Ink, f64),
    Dot(Point, f64, Ink),
    Text(Point, String, Type),
}

/// A picture under way.
pub(super) struct Sheet {
    size: Size,
    width: f64,
    height: f64,
    title: String,
    marks: Vec<Mark>,
}

impl Sheet {
    /// A sheet with its finding on top, and below it what the finding is about.
    pub(super) fn new(size: Size, title: &str, about: &str) -> Self {
        let (wide, high) = (f64::from(size.width), f64::from(size.height));
        let scale = (wide / SMALLEST.0).min(high / SMALLEST.1);
        let (width, height) = (wide / scale, high / scale);
        let mut sheet = Self { size, width, height, title: shortened(title, LONGEST), marks: Vec::new() };
        let whole = Frame { left: 0.0, top: 0.0, right: width, bottom: height };
        sheet.rectangle(whole, Ink::WHITE);
        let most = width - 48.0;
        sheet.text((24.0, 28.0), title, Type::TITLE.within(title, most));
        let quiet = Type::LABEL.ink(Ink::GREY);
        sheet.text((24.0, 52.0), about, quiet.within(about, most));
        sheet
    }

    /// Where the chart goes: below the title, with room for the labels of both axes.
    pub(super) fn frame(&self) -> Frame {
        Frame { left: 72.0, top: 78.0, right: self.width - 28.0, bottom: self.height - 50.0 }
    }

    pub(super) fn rectangle(&mut self, frame: Frame, ink: Ink) {
        self.marks.push(Mark::Rectangle(frame, ink));
    }

    /// A rectangle in stripes, which also tells it apart where there is no colour.
    pub(super) fn hatched(&mut self, frame: Frame, ink: Ink) {
        self.rectangle(frame, Ink::WHITE);
        self.marks.push(Mark::Line(stripes(frame), ink, 1.5));
        let Frame { left, top, right, bottom } = frame;
        let edge = vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        self.marks.push(Mark::Line(edge, ink, 1.5));
    }

    pub(super) fn area(&mut self, points: Vec<Point>, ink: Ink) {
        self.marks.push(Mark::Area(points, ink));
    }

    pub(super) fn line(&mut self, points: &[Point], stroke: Stroke) {
        let Stroke { ink, width, dash } = stroke;
        if dash.0 > 0.0 && dash.1 > 0.0 {
            let dashes = dashes(points, dash).into_iter();
            self.marks.extend(dashes.map(|part| Mark::Line(part, ink, width)));
        } else {
            self.marks.push(Mark::Line(points.to_vec(), ink, width));
        }
    }

    /// A range with a bar at both ends.
    pub(super) fn whisker(&mut self, (from, to): (Point, Point), stroke: Stroke) {
        // The bars stand across the line.
        let level = (to.1 - from.1).abs() <= (to.0 - from.0).abs();
        let (dx, dy) = if level { (0.0, 5.0) } else { (5.0, 0.0) };
        self.line(&[from, to], stroke);
        for (x, y) in [from, to] {
            self.line(&[(x - dx, y - dy), (x + dx, y + dy)], stroke);
        }
    }

    pub(super) fn dot(&mut self, at: Point, radius: f64, ink: Ink) {
        self.marks.push(Mark::Dot(at, radius, ink));
    }

    pub(super) fn text(&mut self, at: Point, text: &str, set: Type) {
        self.marks.push(Mark::Text(at, shortened(text, LONGEST), set));
    }

    /// Lines of text below each other.
    pub(super) fn lines(&mut self, (x, y): Point, text: &str, set: Type) {
        for (line, words) in (0_u8..).zip(text.split('\n')) {
            self.text((x, y + 15.0 * f64::from(line)), words, set);
        }
    }

    /// The picture.
    pub(super) fn svg(self) -> Result<String> {
        let dots = (dots(self.width), dots(self.height));
        let too_far = || Error::new(ErrorKind::Overflow, "a picture of finite size");
        let grid = (u32::try_from(dots.0).ok(), u32::try_from(dots.1).ok());
        let (Some(wide), Some(high)) = grid else { return Err(too_far()) };
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (wide, high)).into_drawing_area();
        self.marks.iter().try_for_each(|mark| mark.draw(&area).ok_or_else(too_far))?;
        area.present().map_err(|_| too_far())?;
        drop(area);
        let Size { width, height } = self.size;
        let title = escaped(&self.title);
        let head = format!(
            "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {wide} {high}\" role=\"img\" \
             xmlns=\"http://www.w3.org/2000/svg\">\n<title>{title}</title>\n"
        );
        // The backend shows a dot as a pixel; here it is a quarter of a point.
        let body = svg.split_once(">\n").map_or("", |(_, body)| body);
        Ok(head + body)
    }
}

impl Mark {
    fn draw(&self, area: &Area<'_>) -> Option<()> {
        match self {
            Self::Rectangle(frame, ink) => {
                let corners = [dot((frame.left, frame.top))?, dot((frame.right, frame.bottom))?];
                put(area, &Rectangle::new(corners, ink.style()))
            }
            Self::Area(points, ink) => put(area, &Polygon::new(all(points)?, ink.style())),
            Self::Line(points, ink, width) => {
                let style = ink.style().stroke_width(u32::try_from(dots(*width)).ok()?);
                put(area, &PathElement::new(all(points)?, style))
            }
            Self::Dot(at, radius, ink) => put(area, &Circle::new(dot(*at)?, dots(*radius), ink.style())),
            Self::Text(at, text, set) => {
                // The backend divides by this factor.
                let size = 1.24 * FINE * set.size;
                let slant = if set.bold { FontStyle::Bold } else { FontStyle::Normal };
                let font = (FontFamily::SansSerif, size, slant).into_font();
                let font = if set.upwards {
                    font.transform(plotters::style::FontTransform::Rotate270)
                } else {
                    font
                };
                let Ink(red, green, blue) = set.ink;
                let colour = RGBColor(red, green, blue);
                let style = TextStyle::from(font).color(&colour).pos(Pos::new(set.side, VPos::Center));
                area.draw_text(text, &style, dot(*at)?).ok()
            }
        }
    }
}

/// Stripes from edge to edge as one path, which goes from each to the next along the edge.
fn stripes(frame: Frame) -> Vec<Point> {
    const GAP: f64 = 6.0;
    let Frame { left, top, right, bottom } = frame;
    let mut path: Vec<Point> = Vec::new();
    // Lines x + y = c over the whole sheet, so that stripes of neighbours meet.
    let mut c = GAP * ((left + top) / GAP).ceil();
    let mut upwards = true;
    while c < right + bottom {
        let (low, high) = (left.max(c - bottom), right.min(c - top));
        let (below, above) = ((low, c - low), (high, c - high));
        let (start, end) = if upwards { (below, above) } else { (above, below) };
        // Round the corner, not across it.
        if let Some(&(x, y)) = path.last()
            && x < start.0
            && y < start.1
        {
            path.push(if upwards { (left, bottom) } else { (right, top) });
        }
        path.extend([start, end]);
        (c, upwards) = (c + GAP, !upwards);
    }
    path
}

type Dot = (i32, i32);
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn put<'a, E>(area: &Area<'a>, element: &E) -> Option<()>
where
    for<'e> &'e E: PointCollection<'e, Dot>,
    E: Drawable<SVGBackend<'a>>,
{
    area.draw(element).ok()
}

#[allow(clippy::cast_possible_truncation, reason = "cut to the range, which no point of a sheet leaves")]
fn dots(points: f64) -> i32 {
    (FINE * points).round() as i32
}

fn dot((x, y): Point) -> Option<Dot> {
    (x.is_finite() && y.is_finite()).then(|| (dots(x), dots(y)))
}

fn all(points: &[Point]) -> Option<Vec<Dot>> {
    points.iter().map(|point| dot(*point)).collect()
}

/// The parts of a path that are drawn.
fn dashes(points: &[Point], (on, off): (f64, f64)) -> Vec<Vec<Point>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let (mut drawing, mut left) = (true, on);
    for (from, to) in points.iter().zip(points.iter().skip(1)) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt();
        let at = |way: f64| (from.0 + dx * way / length, from.1 + dy * way / length);
        let mut way = 0.0;
        while way < length {
            let next = (way + left).min(length);
            if drawing {
                if part.is_empty() {
                    part.push(at(way));
                }
                part.push(at(next));
            }
            left -= next - way;
            way = next;
            if left <= 0.0 {
                parts.extend((!part.is_empty()).then(|| std::mem::take(&mut part)));
                drawing = !drawing;
                left = if drawing { on } else { off };
            }
        }
    }
    parts.extend((!part.is_empty()).then_some(part));
    parts
}

fn escaped(text: &str) -> String {
    // The two characters of a text that XML does not know; those of control are gone by now.
    let known = |c: char| !matches!(c, '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().filter(|&c| known(c)).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_have_their_length_round_corners() {
        let path = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)];
        let parts = dashes(&path, (8.0, 4.0));
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0], [(0.0, 0.0), (8.0, 0.0)]);
        assert_eq!((parts[1].first(), parts[1].last()), (Some(&(10.0, 2.0)), Some(&(10.0, 10.0))));
        assert!(dashes(&[(1.0, 1.0), (1.0, 1.0)], (8.0, 4.0)).is_empty());
    }

    #[test]
    fn nothing_that_is_not_finite_is_drawn() {
        let mut sheet = Sheet::new(Size::default(), "a", "b");
        sheet.dot((f64::NAN, 1.0), 3.0, Ink::BLUE);
        assert_eq!(sheet.svg().unwrap_err().kind(), ErrorKind::Overflow);
    }

    #[test]
    fn stripes_stay_inside() {
        let frame = Frame { left: 13.0, top: 7.0, right: 41.0, bottom: 90.0 };
        let path = stripes(frame);
        assert!(path.len() > 20);
        for &(x, y) in &path {
            assert!((13.0..=41.0).contains(&x) && (7.0..=90.0).contains(&y), "{x} {y}");
        }
        // Every piece is a stripe, or lies on an edge.
        for (a, b) in path.iter().zip(path.iter().skip(1)) {
            let stripe = (a.0 + a.1 - b.0 - b.1).abs() < 1e-9;
            assert!(stripe || a.0 == b.0 || a.1 == b.1, "{a:?} {b:?}");
        }
        assert!(stripes(Frame { right: 13.0, bottom: 7.0, ..frame }).len() <= 2, "nothing to stripe");
    }
}
