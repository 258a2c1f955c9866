//! The demo's pictures, drawn when it starts: a face for everybody, what stands above a profile, and what people show.
//!
//! Nothing is loaded from anywhere, and every start draws the same.

use std::f32::consts::{PI, TAU};

use super::canvas::{Canvas, Colour, Point, between};

const CREAM: Colour = 0xfff4df;
const AMBER: Colour = 0xffc766;
const WOOD: Colour = 0x9a5f38;
const LEAF: Colour = 0x5f8f4e;

/// A picture that is drawn.
pub type Draw = fn() -> Canvas;

/// Points that look strewn, both ways from 0 to 1.
fn strewn(count: usize, seed: f32) -> impl Iterator<Item = Point> {
    let at = move |n: usize, turn: f32| ((n as f32 * turn + seed).sin() * 4_375.855).fract().abs();
    (1..=count).map(move |n| (at(n, 12.9898), at(n, 78.233)))
}

/// A point so far from another, in the direction of an angle.
fn around(middle: Point, away: Point, angle: f32) -> Point {
    (middle.0 + away.0 * angle.cos(), middle.1 + away.1 * angle.sin())
}

fn stars(canvas: &mut Canvas, within: Point, count: usize, seed: f32) {
    for (n, (x, y)) in strewn(count, seed).enumerate() {
        canvas.disc((x * within.0, y * within.1), if n % 4 == 0 { 3.2 } else { 1.8 }, 0xfff3d0);
    }
}

/// A moon in its last quarter.
fn crescent(canvas: &mut Canvas, at: Point, radius: f32, colour: Colour) {
    let (inner, apart) = (radius * 0.88, radius * 0.45);
    let x = (apart * apart + radius * radius - inner * inner) / (2.0 * apart);
    let (outside, inside) = ((x / radius).acos(), ((x - apart) / inner).acos());
    let step = |n: u8, from: f32| from + (TAU - 2.0 * from) * f32::from(n) / 60.0;
    let mut outline: Vec<Point> = (0..=60).map(|n| around(at, (radius, radius), step(n, outside))).collect();
    outline.extend((0..=60).rev().map(|n| around((at.0 + apart, at.1), (inner, inner), step(n, inside))));
    canvas.shape(&outline, colour);
}

fn flower(canvas: &mut Canvas, at: Point, size: f32, outer: Colour, inner: Colour) {
    for (ring, petals, petal, colour) in [(0.62, 12, 0.34, outer), (0.36, 9, 0.28, inner)] {
        for n in 0..petals {
            let angle = TAU * n as f32 / petals as f32 + ring;
            canvas.disc(around(at, (size * ring, size * ring), angle), size * petal, colour);
        }
    }
    canvas.disc(at, size * 0.26, 0x7c3f14);
}

fn steam(canvas: &mut Canvas, at: Point, height: f32, colour: Colour) {
    for column in [-1.0, 0.0, 1.0] {
        let point = |n: f32| {
            (at.0 + column * height * 0.42 + (n * 1.1 + column).sin() * height * 0.08, at.1 - n * height / 6.0)
        };
        for n in 0..6_u8 {
            canvas.line(point(f32::from(n)), point(f32::from(n + 1)), height * 0.075, colour);
        }
    }
}

/// The lower half of an ellipse.
fn bowl(canvas: &mut Canvas, at: Point, radii: Point, colour: Colour) {
    let outline: Vec<Point> = (0..=48).map(|n| around(at, radii, PI * n as f32 / 48.0)).collect();
    canvas.shape(&outline, colour);
}

fn tomato(canvas: &mut Canvas, at: Point, size: f32, colour: Colour) {
    canvas.oval(at, (size, size * 0.9), colour);
    canvas.light((at.0 - size * 0.35, at.1 - size * 0.3), size * 0.6, 0xffffff, 0.45);
    let crown = (at.0, at.1 - size * 0.78);
    for n in 0..5_u8 {
        let angle = PI * (0.1 + 0.2 * f32::from(n));
        let tip = around(crown, (size * 0.55, size * 0.34), angle);
        canvas.line(crown, tip, size * 0.13, 0x3f6b36);
    }
    canvas.line(crown, (at.0 + size * 0.08, at.1 - size * 1.08), size * 0.12, 0x3f6b36);
}

fn mug(canvas: &mut Canvas, at: Point, size: f32, colour: Colour) {
    let handle = (at.0 + size * 0.5, at.1 + size * 0.45);
    canvas.disc(handle, size * 0.32, colour);
    canvas.disc(handle, size * 0.18, 0x4a3a44);
    canvas.rounded((at.0 - size * 0.5, at.1), (size, size), size * 0.16, colour);
    canvas.oval((at.0, at.1 + size * 0.06), (size * 0.46, size * 0.1), 0x5a2f17);
}

fn lantern(canvas: &mut Canvas, at: Point, size: f32) {
    let p = |x: f32, y: f32| (at.0 + x * size, at.1 + y * size);
    canvas.light(at, size * 2.1, 0xffb74a, 0.85);
    canvas.shape(&[p(-0.62, -0.7), p(0.62, -0.7), p(0.42, 0.75), p(-0.42, 0.75)], 0xffdf9a);
    canvas.oval(p(0.0, 0.15), (size * 0.22, size * 0.42), 0xff9d2e);
    canvas.oval(p(0.0, 0.27), (size * 0.1, size * 0.22), 0xfff1c9);
    for x in [-0.62_f32, 0.0, 0.62] {
        canvas.line(p(x, -0.7), p(x * 0.68, 0.75), size * 0.07, 0x241b36);
    }
    canvas.shape(&[p(-0.8, -0.68), p(0.8, -0.68), p(0.3, -1.15), p(-0.3, -1.15)], 0x241b36);
    canvas.disc(p(0.0, -1.2), size * 0.14, 0x241b36);
    canvas.rounded(p(-0.55, 0.7), (size * 1.1, size * 0.18), size * 0.08, 0x241b36);
}

pub fn lantern_face() -> Canvas {
    let mut c = Canvas::new((400, 400), 0x2b2346, 0x6a4c74);
    lantern(&mut c, (200.0, 215.0), 92.0);
    c
}

pub fn marigold_face() -> Canvas {
    let mut c = Canvas::new((400, 400), 0x66509a, 0x3f3066);
    flower(&mut c, (200.0, 205.0), 158.0, 0xffb53c, 0xff8f24);
    c
}

pub fn book_face() -> Canvas {
    let mut c = Canvas::new((400, 400), 0x2f7a7c, 0x8cc7ae);
    c.shape(&[(48.0, 132.0), (200.0, 160.0), (352.0, 132.0), (352.0, 306.0), (200.0, 334.0), (48.0, 306.0)], 0xb2453a);
    c.shape(&[(62.0, 118.0), (200.0, 148.0), (200.0, 318.0), (62.0, 288.0)], CREAM);
    c.shape(&[(338.0, 118.0), (200.0, 148.0), (200.0, 318.0), (338.0, 288.0)], 0xf6e6c8);
    for row in 0..5_u8 {
        let y = 152.0 + 26.0 * f32::from(row);
        c.line((84.0, y), (if row == 4 { 130.0 } else { 176.0 }, y + if row == 4 { 9.0 } else { 19.0 }), 7.0, 0xc9b79c);
    }
    c.disc((282.0, 186.0), 22.0, 0xf5a53a);
    c.shape(&[(218.0, 288.0), (262.0, 214.0), (290.0, 250.0), (308.0, 226.0), (322.0, 268.0)], LEAF);
    c
}

pub fn moon_face() -> Canvas {
    let mut c = Canvas::new((400, 400), 0x151d3d, 0x46538c);
    stars(&mut c, (400.0, 320.0), 34, 2.0);
    c.light((190.0, 190.0), 190.0, 0xffe9b0, 0.25);
    crescent(&mut c, (190.0, 190.0), 112.0, 0xffe6a6);
    c
}

pub fn soup_face() -> Canvas {
    let mut c = Canvas::new((400, 400), 0xf5cf86, 0xdf7f4c);
    steam(&mut c, (200.0, 172.0), 112.0, 0xfff0d4);
    bowl(&mut c, (200.0, 215.0), (146.0, 128.0), CREAM);
    c.oval((200.0, 215.0), (146.0, 38.0), 0xead8bd);
    c.oval((200.0, 218.0), (130.0, 29.0), 0xcf4f27);
    for (x, y) in strewn(13, 5.0) {
        let at = around((200.0, 218.0), (x.sqrt() * 112.0, x.sqrt() * 20.0), y * TAU);
        c.oval(at, (9.0, 4.5), 0x6f9b4b);
    }
    c.rounded((152.0, 334.0), (96.0, 16.0), 8.0, 0xead8bd);
    c
}

pub fn tomato_face() -> Canvas {
    let mut c = Canvas::new((400, 400), 0xdcebcb, 0x86b071);
    tomato(&mut c, (200.0, 228.0), 132.0, 0xd8452f);
    c
}

fn house(canvas: &mut Canvas, (x, ground): Point, (width, height): Point, wall: Colour, lit: u8) {
    let top = ground - height;
    canvas.rounded((x, top), (width, height + 20.0), 2.0, wall);
    let roof = between(wall, 0x140f24, 0.5);
    let over = width * 0.1;
    canvas.shape(&[(x - over, top), (x + width + over, top), (x + width / 2.0, top - height * 0.55)], roof);
    canvas.rounded((x + width * 0.74, top - height * 0.45), (width * 0.1, height * 0.4), 2.0, roof);
    for n in 0..4_u8 {
        let column = if n % 2 == 0 { 0.16 } else { 0.6 };
        let at = (x + width * column, top + height * if n < 2 { 0.14 } else { 0.56 });
        let glass = if lit & (1 << n) == 0 { between(wall, 0x140f24, 0.35) } else { AMBER };
        if glass == AMBER {
            canvas.light((at.0 + width * 0.12, at.1 + height * 0.14), width * 0.42, AMBER, 0.35);
        }
        canvas.rounded(at, (width * 0.24, height * 0.28), 3.0, glass);
    }
}

pub fn street_header() -> Canvas {
    let mut c = Canvas::new((1500, 500), 0x2a2450, 0xf0a283);
    stars(&mut c, (1500.0, 170.0), 60, 1.0);
    for (x, radius, colour) in [(250.0, 420.0, 0x5b4673), (800.0, 520.0, 0x4f3d68), (1350.0, 430.0, 0x5b4673)] {
        c.oval((x, 560.0), (radius, radius * 0.48), colour);
    }
    let walls = [0x4a4a7a, 0x6a4a68, 0x3f5673, 0x7a5560, 0x4d4f80, 0x5f4a70];
    for (n, wall) in walls.into_iter().enumerate() {
        let x = 60.0 + 245.0 * n as f32;
        house(&mut c, (x, 440.0), (150.0, 130.0 + 22.0 * ((n * 2) % 3) as f32), wall, [5, 2, 9, 4, 3, 8][n]);
        c.oval((x + 195.0, 425.0), (34.0, 48.0), 0x2f3f4c);
    }
    c.shade((0.0, 440.0), (1500.0, 60.0), 0x2b2342, 0x1f1932);
    c.line((985.0, 480.0), (985.0, 330.0), 8.0, 0x1d1730);
    lantern(&mut c, (985.0, 315.0), 26.0);
    c
}

pub fn marigold_header() -> Canvas {
    let mut c = Canvas::new((1500, 500), 0x8f79c4, 0xffd9a3);
    c.light((1120.0, 300.0), 380.0, 0xfff2c4, 0.9);
    c.disc((1120.0, 300.0), 74.0, 0xffefb8);
    c.oval((400.0, 560.0), (760.0, 240.0), 0x6f9b62);
    c.oval((1200.0, 580.0), (700.0, 230.0), 0x5c8a56);
    for (row, (y, size)) in [(368.0, 30.0), (412.0, 40.0), (462.0, 52.0)].into_iter().enumerate() {
        for n in 0..17 {
            let x = n as f32 * 94.0 + row as f32 * 38.0 - 20.0;
            let sway = (n as f32 * 2.3 + row as f32).sin() * 13.0;
            c.line((x, y + sway), (x + 5.0, 520.0), size * 0.14, 0x3f6b3a);
            let outer = [0xffb53c, 0xff9b2f, 0xffc95c][(n + row) % 3];
            flower(&mut c, (x, y + sway), size, outer, 0xf27f1e);
        }
    }
    c
}

pub fn shelf_header() -> Canvas {
    let mut c = Canvas::new((1500, 500), 0xf0dfc2, 0xdcc29a);
    let spines = [0xb2453a, 0x2f7a7c, 0xe0a23c, 0x4d4f80, 0x6f9b62, 0xd98a7a, 0x3f5673, 0x8a5a9a];
    for (shelf, floor) in [232.0_f32, 468.0].into_iter().enumerate() {
        let mut x = 24.0;
        for (n, (a, b)) in strewn(60, shelf as f32 + 3.0).enumerate() {
            let (width, height) = (24.0 + a * 30.0, 132.0 + b * 62.0);
            if x + width > 1480.0 {
                break;
            }
            if n % 13 == 8 {
                c.rounded((x + 20.0, floor - 62.0), (80.0, 62.0), 12.0, 0xc4714a);
                for leaf in 0..7_u8 {
                    let tip = around((x + 60.0, floor - 60.0), (74.0, 92.0), -PI * (0.12 + 0.127 * f32::from(leaf)));
                    c.line((x + 60.0, floor - 60.0), tip, 15.0, LEAF);
                }
                x += 126.0;
                continue;
            }
            let colour = spines[(n * 5 + shelf * 3) % spines.len()];
            c.rounded((x, floor - height), (width, height), 4.0, colour);
            for band in [0.16, 0.22, 0.8] {
                c.shade((x + 4.0, floor - height * (1.0 - band)), (width - 8.0, 4.0), CREAM, CREAM);
            }
            x += width + 3.0;
        }
        c.shade((0.0, floor), (1500.0, 26.0), WOOD, 0x6f4124);
    }
    c
}

fn skyline(canvas: &mut Canvas, ground: f32, width: f32, far: Colour, near: Colour) {
    for (layer, (colour, tall)) in [(far, 190.0), (near, 130.0)].into_iter().enumerate() {
        let mut x = -20.0;
        for (n, (a, b)) in strewn(30, layer as f32 * 7.0 + 1.5).enumerate() {
            let (wide, high) = (66.0 + a * 70.0, tall * (0.55 + b * 0.75));
            canvas.rounded((x, ground - high), (wide, high + 10.0), 3.0, colour);
            if layer == 1 {
                for (k, (u, v)) in strewn(9, n as f32).enumerate() {
                    let at = (
                        x + 10.0 + (u * 4.0).floor() * (wide - 22.0) / 4.0,
                        ground - high + 14.0 + (v * 5.0).floor() * 22.0,
                    );
                    let glass = if k % 3 == 0 { 0xffe1a1 } else { AMBER };
                    canvas.rounded(at, (10.0, 13.0), 2.0, glass);
                }
            }
            x += wide + 6.0;
            if x > width {
                break;
            }
        }
    }
}

pub fn city_header() -> Canvas {
    let mut c = Canvas::new((1500, 500), 0x0f1734, 0x4a5490);
    stars(&mut c, (1500.0, 330.0), 120, 4.0);
    c.light((1180.0, 140.0), 260.0, 0xffe9b0, 0.35);
    crescent(&mut c, (1180.0, 140.0), 70.0, 0xffe6a6);
    skyline(&mut c, 500.0, 1500.0, 0x2b3566, 0x182048);
    c
}

pub fn kitchen_header() -> Canvas {
    let mut c = Canvas::new((1500, 500), 0xf6dfb6, 0xf2cf9a);
    for row in 0..5_u8 {
        for column in 0..16_u8 {
            let at = (f32::from(column) * 98.0 - f32::from(row % 2) * 49.0, f32::from(row) * 98.0 - 10.0);
            let tile = if (row + column) % 3 == 0 { 0xf8e8c9 } else { 0xf4dcae };
            c.rounded(at, (92.0, 92.0), 8.0, tile);
        }
    }
    c.line((60.0, 70.0), (1440.0, 70.0), 12.0, 0x5b3a2a);
    let pans = [
        (180.0, 74.0, 0xc65a38),
        (420.0, 58.0, 0x3f5673),
        (640.0, 86.0, 0x5b5b66),
        (900.0, 62.0, 0xd99a3a),
        (1120.0, 78.0, 0x6f9b62),
        (1340.0, 56.0, 0x8a4a3a),
    ];
    for (x, size, colour) in pans {
        c.line((x, 72.0), (x, 190.0), 13.0, between(colour, 0x000000, 0.35));
        c.disc((x, 190.0 + size), size, between(colour, 0x000000, 0.25));
        c.disc((x, 190.0 + size), size * 0.82, colour);
        c.light((x - size * 0.3, 190.0 + size * 0.6), size * 0.7, 0xffffff, 0.35);
    }
    c.shade((0.0, 424.0), (1500.0, 76.0), WOOD, 0x7d4a2a);
    c
}

fn beds(canvas: &mut Canvas, horizon: f32, (width, height): Point) {
    canvas.shade((0.0, horizon), (width, height - horizon), 0x8fae62, 0x5f8246);
    for n in -3_i8..=3 {
        let (far, near) = (width / 2.0 + f32::from(n) * width * 0.07, width / 2.0 + f32::from(n) * width * 0.25);
        let bed = [
            (far - width * 0.018, horizon + 8.0),
            (far + width * 0.018, horizon + 8.0),
            (near + width * 0.07, height),
            (near - width * 0.07, height),
        ];
        canvas.shape(&bed, 0x6b4630);
        for step in 0..9_u8 {
            let part = (f32::from(step) / 8.0).powf(1.6);
            let at = (far + (near - far) * part, horizon + 12.0 + (height - horizon) * part);
            let size = 7.0 + 30.0 * part;
            for leaf in [-0.8, 0.0, 0.8] {
                canvas.oval(
                    (at.0 + leaf * size, at.1 - size * 0.4),
                    (size * 0.75, size * 0.55),
                    if n % 2 == 0 { 0x4d8a46 } else { 0x7aa84e },
                );
            }
        }
    }
}

pub fn garden_header() -> Canvas {
    let mut c = Canvas::new((1500, 500), 0x9cc9d8, 0xfbe6bd);
    c.light((330.0, 190.0), 330.0, 0xfff6d2, 0.9);
    c.disc((330.0, 190.0), 62.0, 0xfff3c4);
    c.oval((380.0, 300.0), (620.0, 110.0), 0x86b071);
    c.oval((1150.0, 310.0), (660.0, 140.0), 0x79a566);
    beds(&mut c, 262.0, (1500.0, 500.0));
    c
}

/// Jars of green tomato chutney on a sill, a starry night behind.
pub fn jars() -> Canvas {
    let mut c = Canvas::new((1200, 900), 0xf3e2c6, 0xe8d0a8);
    c.rounded((270.0, 60.0), (660.0, 520.0), 26.0, 0xfffaf0);
    for (x, y) in [(300.0, 90.0), (615.0, 90.0), (300.0, 335.0), (615.0, 335.0)] {
        let part = (y - 90.0) / 460.0;
        c.shade((x, y), (285.0, 215.0), between(0x27345c, 0xa0708a, part), between(0x27345c, 0xa0708a, part + 0.46));
        for (a, b) in strewn(7, x + y) {
            c.disc((x + 15.0 + a * 255.0, y + 12.0 + b * 150.0), 3.4, 0xfff3d0);
        }
    }
    c.shade((0.0, 640.0), (1200.0, 260.0), 0xa96c40, 0x8a5230);
    c.shade((0.0, 640.0), (1200.0, 18.0), 0x7d4a2a, 0x7d4a2a);
    for (n, x) in [150.0, 340.0, 530.0, 920.0].into_iter().enumerate() {
        c.oval((x + 72.0, 700.0), (92.0, 18.0), 0x7d4a2a);
        c.rounded((x, 470.0), (146.0, 232.0), 24.0, 0x8fae52);
        c.light((x + 40.0, 540.0), 70.0, 0xffffff, 0.4);
        for (a, b) in strewn(14, n as f32) {
            c.oval((x + 16.0 + a * 114.0, 500.0 + b * 60.0), (9.0, 6.0), 0x6f8f3c);
        }
        c.rounded((x + 22.0, 575.0), (102.0, 80.0), 8.0, CREAM);
        c.line((x + 42.0, 602.0), (x + 104.0, 602.0), 6.0, 0xb98a5a);
        c.line((x + 42.0, 624.0), (x + 88.0, 624.0), 6.0, 0xd3b48c);
        c.rounded((x - 8.0, 440.0), (162.0, 46.0), 10.0, 0xc8463a);
    }
    tomato(&mut c, (762.0, 640.0), 62.0, 0x9db85a);
    tomato(&mut c, (858.0, 662.0), 46.0, 0xb3c565);
    c
}

/// A garden bed before the first frost, its last tomatoes under a blanket.
pub fn frost() -> Canvas {
    let mut c = Canvas::new((1200, 900), 0x41507c, 0xf2c3a4);
    stars(&mut c, (1200.0, 220.0), 40, 6.0);
    c.oval((300.0, 560.0), (640.0, 190.0), 0x6b7f86);
    c.oval((1000.0, 570.0), (620.0, 220.0), 0x5d7279);
    for n in 0..15_u8 {
        let x = f32::from(n) * 84.0;
        c.shape(&[(x, 520.0), (x, 400.0), (x + 30.0, 370.0), (x + 60.0, 400.0), (x + 60.0, 520.0)], 0xd8c6b4);
    }
    c.shade((0.0, 440.0), (1200.0, 22.0), 0xbfa993, 0xbfa993);
    c.shade((0.0, 515.0), (1200.0, 385.0), 0x7f9a7c, 0x56705a);
    for (x, y) in strewn(150, 9.0) {
        c.disc((x * 1200.0, 530.0 + y * 370.0), 2.6, 0xeaf3f2);
    }
    c.rounded((170.0, 610.0), (860.0, 190.0), 14.0, WOOD);
    c.shade((170.0, 690.0), (860.0, 8.0), 0x7d4a2a, 0x7d4a2a);
    c.oval((600.0, 622.0), (420.0, 40.0), 0x4a3226);
    for (x, y, size) in [(360.0, 540.0, 46.0), (452.0, 582.0, 38.0), (880.0, 560.0, 44.0), (800.0, 590.0, 34.0)] {
        c.line((x, y - size), (x + 6.0, 640.0), 10.0, 0x3f6b36);
        tomato(&mut c, (x, y), size, if size > 40.0 { 0xd8452f } else { 0xe08a3a });
    }
    let blanket: Vec<Point> = (0..=40)
        .map(|n| {
            let part = n as f32 / 40.0;
            (430.0 + part * 390.0, 640.0 - (part * PI).sin().sqrt() * 165.0 + (part * 19.0).sin() * 7.0)
        })
        .chain([(846.0, 736.0), (740.0, 716.0), (640.0, 744.0), (530.0, 718.0), (412.0, 738.0)])
        .collect();
    c.shape(&blanket, 0xe9e2f2);
    for n in 0..6_u8 {
        let x = 480.0 + f32::from(n) * 58.0;
        c.line((x, 530.0 + (f32::from(n) - 2.5).powi(2) * 8.0), (x - 8.0 + f32::from(n) * 3.0, 716.0), 7.0, 0xb9a9d6);
    }
    c
}

/// A pot of soup on the stove.
pub fn soup() -> Canvas {
    let mut c = Canvas::new((1200, 900), 0xf6dfb6, 0xf0c88e);
    for row in 0..5_u8 {
        for column in 0..11_u8 {
            let at = (f32::from(column) * 124.0 - f32::from(row % 2) * 62.0, f32::from(row) * 124.0 - 20.0);
            c.rounded(at, (116.0, 116.0), 10.0, if (row + column) % 4 == 0 { 0xbfd7c4 } else { 0xf8e8c9 });
        }
    }
    steam(&mut c, (600.0, 330.0), 250.0, 0xfffdf6);
    c.shade((0.0, 700.0), (1200.0, 200.0), 0x4b4450, 0x322d38);
    c.oval((600.0, 740.0), (360.0, 40.0), 0x221e28);
    c.light((600.0, 735.0), 420.0, 0xff8a3a, 0.5);
    for x in [236.0, 964.0] {
        c.rounded((x - 62.0, 470.0), (124.0, 60.0), 28.0, 0x8f3226);
        c.rounded((x - 34.0, 488.0), (68.0, 24.0), 12.0, 0xf3d6a4);
    }
    c.rounded((270.0, 400.0), (660.0, 340.0), 70.0, 0xc4452f);
    c.light((420.0, 520.0), 190.0, 0xffffff, 0.32);
    c.oval((600.0, 412.0), (332.0, 74.0), 0x9c3323);
    c.oval((600.0, 418.0), (304.0, 58.0), 0xe58a35);
    for (n, (a, b)) in strewn(46, 8.0).enumerate() {
        let at = around((600.0, 418.0), (a.sqrt() * 276.0, a.sqrt() * 44.0), b * TAU);
        let (bit, size) = [(0x6f9b4b, 11.0), (0xf6c453, 15.0), (0xfff0cf, 13.0), (0xc4452f, 12.0)][n % 4];
        c.oval(at, (size * 1.3, size * 0.6), bit);
    }
    c.line((760.0, 410.0), (1010.0, 120.0), 26.0, 0xb9804f);
    c.oval((742.0, 428.0), (52.0, 22.0), 0xa86f40);
    c
}

/// The city at dawn, from a roof, with a mug on the wall.
pub fn dawn() -> Canvas {
    let mut c = Canvas::new((1200, 900), 0x3d4a86, 0xffbf86);
    c.light((380.0, 560.0), 560.0, 0xfff0b8, 0.95);
    c.disc((380.0, 560.0), 92.0, 0xfff3c8);
    for (x, y, wide) in [(250.0, 190.0, 250.0), (760.0, 130.0, 320.0), (980.0, 290.0, 260.0)] {
        for (shift, size) in [(0.0, 1.0), (-0.45, 0.62), (0.5, 0.7)] {
            c.oval((x + shift * wide, y + (1.0 - size) * 22.0), (wide * 0.5 * size, 20.0 * size), 0xf6c1b4);
        }
    }
    skyline(&mut c, 720.0, 1200.0, 0x8a6a92, 0x4c3f6b);
    c.shade((0.0, 700.0), (1200.0, 200.0), 0x8d6a5c, 0x5e4450);
    c.shade((0.0, 700.0), (1200.0, 26.0), 0xb48f78, 0xa07a68);
    for row in 0..3_u8 {
        for column in 0..9_u8 {
            let at = (f32::from(column) * 150.0 - f32::from(row % 2) * 75.0, 740.0 + f32::from(row) * 54.0);
            c.rounded(at, (142.0, 46.0), 5.0, 0x7a5a58);
        }
    }
    steam(&mut c, (850.0, 520.0), 130.0, 0xffe9d6);
    mug(&mut c, (850.0, 545.0), 160.0, 0xf4efe4);
    c
}

/// A fort of blankets in a living room, with a string of lights.
pub fn fort() -> Canvas {
    let mut c = Canvas::new((1200, 900), 0x3a3157, 0x54436f);
    c.shade((0.0, 690.0), (1200.0, 210.0), 0x8a5a44, 0x6b4234);
    c.oval((600.0, 790.0), (520.0, 80.0), 0xb8694f);
    c.oval((600.0, 790.0), (440.0, 60.0), 0xd08a5f);
    c.light((600.0, 640.0), 520.0, AMBER, 0.5);
    c.shape(&[(600.0, 170.0), (1010.0, 780.0), (190.0, 780.0)], 0xe7d4e8);
    for (n, x) in [-340.0, -200.0, 200.0, 340.0].into_iter().enumerate() {
        let colour = [0x8fb7c9, 0xf0b7a0][n % 2];
        c.shape(&[(600.0, 170.0), (600.0 + x + 44.0, 780.0), (600.0 + x - 44.0, 780.0)], colour);
    }
    c.shape(&[(600.0, 270.0), (770.0, 780.0), (430.0, 780.0)], 0x4a2f3c);
    c.light((600.0, 660.0), 230.0, 0xffb74a, 0.9);
    lantern(&mut c, (600.0, 640.0), 46.0);
    for (n, (x, colour)) in [(490.0, 0x2f7a7c), (498.0, 0xb2453a), (484.0, 0xe0a23c)].into_iter().enumerate() {
        c.rounded((x, 752.0 - 22.0 * n as f32), (92.0, 20.0), 4.0, colour);
    }
    let string =
        |part: f32| (60.0 + part * 1080.0, 150.0 + (part * 3.0).fract().mul_add(1.0, -0.5).powi(2) * -200.0 + 60.0);
    for n in 0..120_u8 {
        c.line(string(f32::from(n) / 120.0), string((f32::from(n) + 0.98) / 120.0), 4.0, 0x241b36);
    }
    for n in 0..22_u8 {
        let (x, y) = string((f32::from(n) + 0.5) / 22.0);
        let colour = [AMBER, 0xf28f79, 0x9fd0c0][usize::from(n % 3)];
        c.light((x, y + 14.0), 62.0, colour, 0.7);
        c.oval((x, y + 14.0), (9.0, 13.0), colour);
    }
    c
}
