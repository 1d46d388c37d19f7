// A dense series as uPlot draws it, where thousands of points would be too much SVG. The figure's table stays beside it.
//
//   <div class="dense-chart" data-dense-chart="ID-data"></div>
//   <script type="application/json" id="ID-data">{"x": [unix seconds], "unit": "h", "decimals": 1, "label_x": "Time",
//     "series": [{"label": "In voice", "values": [1, null, 3], "kind": "line" | "steps" | "bars"}]}</script>
import uPlot from "uplot";
import { localText } from "./times.js";

const HEIGHT_PX = 240;
const DAY_S = 86_400;
const colours = ["--accent", "--unwitnessed", "--muted", "--deafened"];
const dashes = [undefined, [6, 4], [2, 3], [10, 4, 2, 4]]; // so that lines differ without colour

// Custom properties hold light-dark(); a canvas needs what it comes to.
function resolved(node, property) {
  const probe = document.createElement("span");
  probe.hidden = true;
  node.append(probe);
  probe.style.color = `var(${property})`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function clocks() {
  const locale = document.documentElement.lang || "en";
  const month = new Intl.DateTimeFormat(locale, { month: "short" });
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = (date) => `${date.getDate()} ${month.format(date)}`;
  return { day, clock: (date) => clock.format(date), whole: (date) => localText(date, "datetime") };
}

// Where nobody points, the legend says what the newest point is.
function showLast(plot) {
  if (plot.data[0].length) plot.setLegend({ idx: plot.data[0].length - 1 }, false);
}

function draw(node, data) {
  const { day, clock, whole } = clocks();
  const isOfDays = data.x.length > 1 && data.x[1] - data.x[0] >= DAY_S * 0.9;
  const number = new Intl.NumberFormat(document.documentElement.lang || "en", { maximumFractionDigits: data.decimals ?? 0 });
  const withUnit = (value) => (value === null || value === undefined ? "–" : `${number.format(value)}${data.unit ? ` ${data.unit}` : ""}`);
  const ink = resolved(node, "--ink-soft");
  const rule = resolved(node, "--rule");
  const font = `11px ${getComputedStyle(node).fontFamily}`;
  const axis = { stroke: ink, font, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 } };
  const series = data.series.map((one, index) => {
    const stroke = resolved(node, colours[index % colours.length]);
    const paths = { steps: uPlot.paths.stepped({ align: 1 }), bars: uPlot.paths.bars({ size: [0.8, 60] }) }[one.kind];
    return {
      label: one.label,
      stroke,
      width: 1.75,
      dash: one.kind === "bars" ? undefined : dashes[index % dashes.length],
      fill: one.kind === "bars" ? stroke : undefined,
      paths,
      points: { show: false },
      value: (_, value) => withUnit(value),
    };
  });
  return new uPlot(
    {
      width: Math.max(240, node.clientWidth),
      height: HEIGHT_PX,
      legend: { live: true },
      hooks: { ready: [showLast], setCursor: [(plot) => plot.cursor.idx ?? showLast(plot)] },
      cursor: { drag: { x: true, y: false } },
      scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(1, (high ?? 1) * 1.06)] } },
      axes: [
        {
          ...axis,
          values: (_, splits, __, ___, step) => splits.map((at) => (step >= DAY_S ? day : clock)(new Date(at * 1000))),
        },
        { ...axis, size: 56, values: (_, splits) => splits.map((value) => number.format(value)) },
      ],
      series: [{ label: data.label_x, value: (_, at) => (at === null || at === undefined ? "–" : (isOfDays ? day : whole)(new Date(at * 1000))) }, ...series],
    },
    [data.x, ...data.series.map((one) => one.values)],
    node,
  );
}

export function denseChart(node) {
  if (node.dataset.ready !== undefined) return;
  node.dataset.ready = "";
  const data = JSON.parse(document.getElementById(node.dataset.denseChart).textContent);
  let plot = draw(node, data);
  const sized = new ResizeObserver(() => {
    const width = Math.max(240, node.clientWidth);
    if (width !== plot.width) plot.setSize({ width, height: HEIGHT_PX });
  });
  sized.observe(node);
  const again = () => {
    if (!node.isConnected) {
      document.removeEventListener("rollcall:theme", again);
      sized.disconnect();
      return;
    }
    plot.destroy();
    plot = draw(node, data);
  };
  document.addEventListener("rollcall:theme", again);
}
