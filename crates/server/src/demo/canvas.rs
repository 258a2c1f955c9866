//! A small canvas: discs, boxes, lines, outlines and lights with smooth edges, for the demo's pictures.
//!
//! Knows no picture; those are in `pictures`. Lengths are in pixels, from the upper left corner.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

/// A colour as in a style sheet: `0xRRGGBB`.
pub type Colour = u32;
pub type Point = (f32, f32);

#[derive(Debug, Clone)]
pub struct Canvas(RgbImage);

fn parts(colour: Colour) -> [f32; 3] {
    let [_, red, green, blue] = colour.to_be_bytes();
    [red, green, blue].map(f32::from)
}

/// A colour between two, `part` of the way (0 to 1).
pub fn between(from: Colour, to: Colour, part: f32) -> Colour {
    let (from, to) = (parts(from), parts(to));
    let [red, green, blue] = [0, 1, 2].map(|n| (from[n] + (to[n] - from[n]) * part.clamp(0.0, 1.0)).round() as u8);
    u32::from_be_bytes([0, red, green, blue])
}

impl Canvas {
    /// Painted from one colour at the top to another at the bottom.
    pub fn new((width, height): (u32, u32), top: Colour, bottom: Colour) -> Self {
        let mut canvas = Self(RgbImage::new(width, height));
        canvas.shade((0.0, 0.0), (width as f32, height as f32), top, bottom);
        canvas
    }

    /// A PNG file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn png(&self) -> anyhow::Result<Vec<u8>> {
        let mut file = Cursor::new(Vec::new());
        self.0.write_to(&mut file, ImageFormat::Png)?;
        Ok(file.into_inner())
    }

    /// A box from one colour at its top to another at its bottom.
    pub fn shade(&mut self, at: Point, size: Point, top: Colour, bottom: Colour) {
        let (from, to) = (at, (at.0 + size.0, at.1 + size.1));
        self.paint(from, to, |_, y| (between(top, bottom, (y - at.1) / size.1), 1.0));
    }

    pub fn disc(&mut self, at: Point, radius: f32, colour: Colour) {
        self.oval(at, (radius, radius), colour);
    }

    /// An ellipse, by its middle and its two radii.
    pub fn oval(&mut self, at: Point, radii: Point, colour: Colour) {
        let (from, to) = ((at.0 - radii.0, at.1 - radii.1), (at.0 + radii.0, at.1 + radii.1));
        self.paint(from, to, |x, y| {
            let (dx, dy) = ((x - at.0) / radii.0, (y - at.1) / radii.1);
            (colour, 0.5 + (1.0 - dx.hypot(dy)) * radii.0.min(radii.1))
        });
    }

    /// A box with round corners.
    pub fn rounded(&mut self, at: Point, size: Point, radius: f32, colour: Colour) {
        let half = (size.0 / 2.0, size.1 / 2.0);
        let middle = (at.0 + half.0, at.1 + half.1);
        self.paint(at, (at.0 + size.0, at.1 + size.1), |x, y| {
            let dx = ((x - middle.0).abs() - half.0 + radius).max(0.0);
            let dy = ((y - middle.1).abs() - half.1 + radius).max(0.0);
            (colour, 0.5 + radius - dx.hypot(dy))
        });
    }

    /// A line with round ends.
    pub fn line(&mut self, a: Point, b: Point, thick: f32, colour: Colour) {
        let (from, to) = ((a.0.min(b.0) - thick, a.1.min(b.1) - thick), (a.0.max(b.0) + thick, a.1.max(b.1) + thick));
        let along = (b.0 - a.0, b.1 - a.1);
        let length = (along.0 * along.0 + along.1 * along.1).max(f32::EPSILON);
        self.paint(from, to, |x, y| {
            let part = (((x - a.0) * along.0 + (y - a.1) * along.1) / length).clamp(0.0, 1.0);
            let away = (x - a.0 - part * along.0).hypot(y - a.1 - part * along.1);
            (colour, 0.5 + thick / 2.0 - away)
        });
    }

    /// The inside of an outline; it may have dents.
    pub fn shape(&mut self, outline: &[Point], colour: Colour) {
        let edge =
            |pick: fn(f32, f32) -> f32, start: f32, side: fn(&Point) -> f32| outline.iter().map(side).fold(start, pick);
        let from = (edge(f32::min, f32::MAX, |p| p.0), edge(f32::min, f32::MAX, |p| p.1));
        let to = (edge(f32::max, f32::MIN, |p| p.0), edge(f32::max, f32::MIN, |p| p.1));
        let sides: Vec<(Point, Point)> =
            outline.iter().copied().zip(outline.iter().copied().cycle().skip(1)).take(outline.len()).collect();
        // A quarter of a pixel in both directions: four looks are smooth enough.
        let inside = |x: f32, y: f32| {
            sides
                .iter()
                .filter(|(a, b)| (a.1 > y) != (b.1 > y) && x < (b.0 - a.0) * (y - a.1) / (b.1 - a.1) + a.0)
                .count()
                % 2
        };
        self.paint(from, to, |x, y| {
            let looks = [(-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)];
            (colour, looks.iter().map(|(dx, dy)| inside(x + dx, y + dy) as f32).sum::<f32>() / 4.0)
        });
    }

    /// Light that fades away from its middle.
    pub fn light(&mut self, at: Point, radius: f32, colour: Colour, strength: f32) {
        let (from, to) = ((at.0 - radius, at.1 - radius), (at.0 + radius, at.1 + radius));
        self.paint(from, to, |x, y| {
            let near = (1.0 - (x - at.0).hypot(y - at.1) / radius).max(0.0);
            (colour, strength * near * near)
        });
    }

    /// Lays a colour over every pixel of a box, as opaque as `look` says for its middle (0 to 1, cut to it).
    fn paint(&mut self, from: Point, to: Point, look: impl Fn(f32, f32) -> (Colour, f32)) {
        let (width, height) = self.0.dimensions();
        let span = |from: f32, to: f32, most: u32| from.floor().max(0.0) as u32..(to.ceil().max(0.0) as u32).min(most);
        for y in span(from.1, to.1, height) {
            for x in span(from.0, to.0, width) {
                let (colour, opaque) = look(x as f32 + 0.5, y as f32 + 0.5);
                if opaque > 0.0 {
                    let Rgb(below) = *self.0.get_pixel(x, y);
                    let below = u32::from_be_bytes([0, below[0], below[1], below[2]]);
                    let [_, red, green, blue] = between(below, colour, opaque).to_be_bytes();
                    self.0.put_pixel(x, y, Rgb([red, green, blue]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(canvas: &Canvas, x: u32, y: u32) -> [u8; 3] {
        canvas.0.get_pixel(x, y).0
    }

    #[test]
    fn shapes_are_where_they_are_put_and_nowhere_else() {
        const RED: [u8; 3] = [255, 0, 0];
        let draws: [fn(&mut Canvas); 4] = [
            |c| c.disc((50.0, 50.0), 20.0, 0xff0000),
            |c| c.rounded((30.0, 30.0), (40.0, 40.0), 5.0, 0xff0000),
            |c| c.line((30.0, 50.0), (70.0, 50.0), 10.0, 0xff0000),
            |c| c.shape(&[(50.0, 20.0), (80.0, 80.0), (20.0, 80.0)], 0xff0000),
        ];
        for draw in draws {
            let mut canvas = Canvas::new((100, 100), 0xffffff, 0xffffff);
            draw(&mut canvas);
            assert_eq!((at(&canvas, 50, 50), at(&canvas, 5, 5), at(&canvas, 95, 50)), (RED, [255; 3], [255; 3]));
        }
        // What reaches beyond the edge is cut.
        let mut canvas = Canvas::new((10, 10), 0, 0);
        canvas.disc((-5.0, 20.0), 100.0, 0xff0000);
        assert_eq!((at(&canvas, 0, 0), at(&canvas, 9, 9)), (RED, RED));
        assert_eq!(between(0x000000, 0xff8040, 0.5), 0x804020);
        assert!(canvas.png().unwrap().starts_with(b"\x89PNG"));
    }
}
