"""One pen for each style: it decides how a filled shape, a line and a sky look."""

from __future__ import annotations

from random import Random

import skia
from typing_extensions import override

from generation.starter.drawing.shapes import brightness, darker, lighter, mix, paint_color
from generation.starter.world import SIDE, Tint

PAPER: Tint = (250, 247, 238)
INK: Tint = (26, 24, 30)
NIGHT: Tint = (8, 6, 20)


class Pen:
    """Draws flat shapes; the other styles change how."""

    smooth = True

    def __init__(self, canvas: skia.Canvas, rng: Random) -> None:
        self.canvas = canvas
        self.scale = 1.0  # pixels per unit of the thing being drawn
        self.behind = False  # whether the backdrop is being drawn, which some styles hold back
        self._wobble = rng.randrange(1 << 20)

    def fill(self, path: skia.Path, tint: Tint, alpha: float = 255, *, outline: bool = True) -> None:
        """Fill `path`; `outline` lets styles that draw contours give it one."""
        self.canvas.drawPath(path, self._paint(tint, alpha))

    def plate(self, path: skia.Path, tint: Tint) -> None:
        """Fill `path` evenly, the same in every style."""
        self.canvas.drawPath(path, skia.Paint(AntiAlias=self.smooth, Color=paint_color(tint)))

    def line(self, path: skia.Path, tint: Tint, width: float = 2.0, alpha: float = 255) -> None:
        """Draw along `path`, `width` pixels wide."""
        self.canvas.drawPath(path, self._paint(tint, alpha, width))

    def dot(self, x: float, y: float, radius: float, tint: Tint, alpha: float = 255) -> None:
        """A plain disc without contour or texture: stars, snowflakes."""
        self.canvas.drawCircle(x, y, radius, skia.Paint(AntiAlias=self.smooth, Color=paint_color(tint, alpha)))

    def veil(self, tint: Tint, alpha: float = 255) -> None:
        """Cover the whole picture."""
        self.canvas.drawRect(skia.Rect.MakeWH(SIDE, SIDE), skia.Paint(Color=paint_color(tint, alpha)))

    def sky(self, top: Tint, bottom: Tint) -> None:
        """Fill the picture with a vertical gradient."""
        colors = [paint_color(self.sky_tint(top, 0)), paint_color(self.sky_tint(bottom, 1))]
        ends = [skia.Point(0, 0), skia.Point(0, SIDE)]
        shader = skia.GradientShader.MakeLinear(ends, colors)
        self.canvas.drawRect(skia.Rect.MakeWH(SIDE, SIDE), skia.Paint(Shader=shader))

    def sky_tint(self, tint: Tint, height: int) -> Tint:
        """What becomes of a sky's colour, at its top (0) or bottom (1)."""
        return tint

    def plain_tint(self, tint: Tint) -> Tint:
        """What becomes of a plain background's colour."""
        return lighter(tint, 0.16)

    def sparkle(self, tint: Tint) -> Tint:
        """What becomes of the colour of small lights and flakes."""
        return tint

    def place(self, x: float, y: float, size: float, *, flip: bool = False, turn: float = 0.0) -> None:
        """Until `lift`, one unit is `size` pixels and the origin lies at (x, y); `turn` in degrees."""
        self.canvas.save()
        self.canvas.translate(x, y)
        if turn:
            self.canvas.rotate(turn)
        self.canvas.scale(-size if flip else size, size)
        self.scale = size

    def lift(self) -> None:
        """End what `place` began."""
        self.canvas.restore()
        self.scale = 1.0

    def _paint(self, tint: Tint, alpha: float, width: float = 0.0) -> skia.Paint:
        paint = skia.Paint(AntiAlias=self.smooth, Color=paint_color(tint, alpha))
        if width:
            paint.setStyle(skia.Paint.kStroke_Style)
            paint.setStrokeWidth(width / self.scale)
            paint.setStrokeJoin(skia.Paint.kRound_Join)
            paint.setStrokeCap(skia.Paint.kRound_Cap)
        return paint

    def _shake(self, paint: skia.Paint, amount: float) -> skia.Paint:
        self._wobble += 1
        effect = skia.DiscretePathEffect.Make(9 / self.scale, amount / self.scale, self._wobble)
        paint.setPathEffect(effect)
        return paint


class PixelPen(Pen):
    """Hard edges; the canvas is a quarter of the size."""

    smooth = False


class WatercolorPen(Pen):
    """Translucent washes with trembling edges that dry darker."""

    @override
    def fill(self, path: skia.Path, tint: Tint, alpha: float = 255, *, outline: bool = True) -> None:
        self.canvas.drawPath(path, self._paint(tint, alpha * 0.84))
        if outline:
            self.canvas.drawPath(path, self._paint(darker(tint, 0.3), alpha * 0.35, 2.0))

    @override
    def sky_tint(self, tint: Tint, height: int) -> Tint:
        return lighter(tint, 0.3 if height else 0.22)

    @override
    def _paint(self, tint: Tint, alpha: float, width: float = 0.0) -> skia.Paint:
        return self._shake(super()._paint(tint, alpha, width), 1.6)


class InkPen(Pen):
    """Black contours on paper, with a little colour."""

    @override
    def fill(self, path: skia.Path, tint: Tint, alpha: float = 255, *, outline: bool = True) -> None:
        self.canvas.drawPath(path, self._paint(mix(PAPER, tint, 0.22 if self.behind else 0.78), alpha))
        if outline and alpha > 200:
            self.canvas.drawPath(path, self._paint(INK, 255, 1.5 if self.behind else 2.4))

    @override
    def line(self, path: skia.Path, tint: Tint, width: float = 2.0, alpha: float = 255) -> None:
        self.canvas.drawPath(path, self._paint(mix(PAPER, tint, 0.5) if self.behind else INK, alpha, width))
        if width > 6 and not self.behind:  # a limb rather than a line: contour and colour
            self.canvas.drawPath(path, self._paint(mix(PAPER, tint, 0.78), 255, width - 4.8))

    @override
    def sky_tint(self, tint: Tint, height: int) -> Tint:
        return mix(PAPER, tint, 0.16 if height else 0.30)

    @override
    def plain_tint(self, tint: Tint) -> Tint:
        return mix(PAPER, tint, 0.55)

    @override
    def sparkle(self, tint: Tint) -> Tint:
        return mix((40, 40, 70), tint, 0.2)

    @override
    def _paint(self, tint: Tint, alpha: float, width: float = 0.0) -> skia.Paint:
        paint = super()._paint(tint, alpha, width)
        return self._shake(paint, 0.8) if width else paint


class NeonPen(Pen):
    """Glowing contours in the dark."""

    @override
    def fill(self, path: skia.Path, tint: Tint, alpha: float = 255, *, outline: bool = True) -> None:
        self.canvas.drawPath(path, self._paint(mix(NIGHT, tint, 0.10 if self.behind else 0.30), alpha))
        if outline and alpha > 120:
            glow = lighter(tint, 0.12) if brightness(tint) > 200 else (150, 150, 170)
            self.canvas.drawPath(path, self._paint(glow, 150 if self.behind else 255, 2.0 if self.behind else 3.4))

    @override
    def sky_tint(self, tint: Tint, height: int) -> Tint:
        return mix((14, 6, 30), tint, 0.22) if height else mix(NIGHT, tint, 0.10)

    @override
    def plain_tint(self, tint: Tint) -> Tint:
        return mix(NIGHT, tint, 0.42)


class SilhouettePen(Pen):
    """White wherever a thing is: the region that training looks at more closely."""

    @override
    def fill(self, path: skia.Path, tint: Tint, alpha: float = 255, *, outline: bool = True) -> None:
        super().fill(path, (255, 255, 255))

    @override
    def line(self, path: skia.Path, tint: Tint, width: float = 2.0, alpha: float = 255) -> None:
        super().line(path, (255, 255, 255), width)


PENS: dict[str, type[Pen]] = {
    "flat": Pen,
    "oil": Pen,
    "pixel": PixelPen,
    "watercolor": WatercolorPen,
    "ink": InkPen,
    "neon": NeonPen,
}
