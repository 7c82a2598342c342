/** A plot of lines over logarithmic axes, as the text of an SVG file that is readable on light and on dark pages. */

const width = 640;
const height = 400;
const margin = { left: 60, right: 150, top: 16, bottom: 44 };
const colours = ["#3b82c4", "#2f9e63", "#c77d11", "#b0419a", "#777"];
const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A logarithmic axis over `values` whose ends are powers of ten, from `first` to `last` in pixels. */
function axisOf(values, first, last) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(...values))), low + 1);
  const place = (value) => first + ((Math.log10(value) - low) / (high - low)) * (last - first);
  return { place, ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)) };
}

/**
 * @param {{ name: string, points: [number, number][] }[]} lines - With values above 0.
 * @param {{ x: string, y: string }} titles - Of the axes.
 */
export function plotLines(lines, titles) {
  const points = lines.flatMap((line) => line.points);
  const [left, right, top, bottom] = [margin.left, width - margin.right, margin.top, height - margin.bottom];
  const x = axisOf(points.map(([value]) => value), left, right); // prettier-ignore
  const y = axisOf(points.map(([, value]) => value), bottom, top); // prettier-ignore
  const text = (at, content, more = "") => `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" ${more}>${escape(content)}</text>`; // prettier-ignore
  const grid = [
    ...x.ticks.map((tick) => `<path d="M${x.place(tick)} ${top}V${bottom}"/>`),
    ...y.ticks.map((tick) => `<path d="M${left} ${y.place(tick)}H${right}"/>`),
  ];
  const labels = [
    ...x.ticks.map((tick) => text([x.place(tick), bottom + 16], tick.toLocaleString("en"), 'text-anchor="middle"')),
    ...y.ticks.map((tick) => text([left - 6, y.place(tick) + 4], String(tick), 'text-anchor="end"')),
    text([(left + right) / 2, height - 8], titles.x, 'text-anchor="middle"'),
    text([14, (top + bottom) / 2], titles.y, `text-anchor="middle" transform="rotate(-90 14 ${(top + bottom) / 2})"`),
  ];
  const curves = lines.map((line, i) => {
    const places = line.points.map(([px, py]) => [x.place(px), y.place(py)]);
    const path = places.map((place) => place.map((value) => value.toFixed(1)).join(" ")).join("L");
    const dots = places.map(([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3"/>`).join("");
    const name = text([places.at(-1)[0] + 8, places.at(-1)[1] + 4], line.name, 'stroke="none"');
    return `<g stroke="${colours[i % colours.length]}" fill="${colours[i % colours.length]}"><path d="M${path}" fill="none" stroke-width="2"/>${dots}${name}</g>`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">\n` +
    `<g stroke="#999" stroke-opacity="0.4" fill="none">${grid.join("")}</g>\n<g fill="#808080">${labels.join("")}</g>\n` +
    `${curves.join("\n")}\n</svg>\n`
  );
}
