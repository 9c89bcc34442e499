/** What a state means to the reader; decides its icon and colour. */
export type Tone = "good" | "bad" | "warn" | "busy" | "waiting" | "stopped" | "quiet";

/** How one of several series looks. */
export interface Look {
  /** CSS variable of the colour, which follows the theme. */
  color: string;
  dash: number[];
  marker: Marker;
}

export type Marker = "circle" | "square" | "triangle" | "diamond" | "star" | "plus" | "pentagon" | "ring";

const looks: [number[], Marker][] = [
  [[], "circle"],
  [[8, 4], "square"],
  [[2, 3], "triangle"],
  [[8, 3, 2, 3], "diamond"],
  [[12, 3], "star"],
  [[4, 4], "plus"],
  [[8, 3, 2, 3, 2, 3], "pentagon"],
  [[1, 2], "ring"],
];

/** The look of the series at an index. From the eighth on all look alike; their labels tell them apart. */
export function look(index: number): Look {
  const slot = Math.min(Math.max(index, 0), looks.length - 1);
  const [dash, marker] = looks[slot] as (typeof looks)[number];
  return { color: `--series-${slot + 1}`, dash, marker };
}

/** SVG path of a marker of radius r around the origin. */
export function markerPath(marker: Marker, r: number): string {
  const polygon = (points: number, inner = r, turn = -Math.PI / 2) =>
    `M${Array.from({ length: inner === r ? points : 2 * points }, (_, i) => {
      const n = inner === r ? points : 2 * points;
      const radius = inner !== r && i % 2 ? inner : r;
      const angle = turn + (2 * Math.PI * i) / n;
      return `${(radius * Math.cos(angle)).toFixed(2)} ${(radius * Math.sin(angle)).toFixed(2)}`;
    }).join("L")}Z`;
  switch (marker) {
    case "square":
      return polygon(4, r, -Math.PI / 4);
    case "triangle":
      return polygon(3);
    case "diamond":
      return polygon(4);
    case "star":
      return polygon(5, r * 0.45);
    case "pentagon":
      return polygon(5);
    case "plus": {
      const a = r * 0.33;
      return `M${-a} ${-r}H${a}V${-a}H${r}V${a}H${a}V${r}H${-a}V${a}H${-r}V${-a}H${-a}Z`;
    }
    default:
      return `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`;
  }
}
