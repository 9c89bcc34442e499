import { type Look, markerPath } from "../../lib/colors";

/** A piece of a line with its colour, dash and marker. */
export function Swatch({ look }: { look: Look }) {
  const color = `var(${look.color})`;
  return (
    <svg width="28" height="12" viewBox="0 0 28 12" aria-hidden="true">
      <line x1="0" y1="6" x2="28" y2="6" stroke={color} strokeWidth="2.5" strokeDasharray={look.dash.join(" ")} />
      <path d={markerPath(look.marker, 4.5)} transform="translate(14 6)" fill={color} />
    </svg>
  );
}
