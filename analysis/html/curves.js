"use strict";
/* Draws the curves of each figure with plotly.js, as analysis/figures.py does for print. */

(() => {
  const style = (element, name) => getComputedStyle(element)[name];
  const withAlpha = (rgb, alpha) => rgb.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);
  // plotly reads some HTML in texts.
  const plain = (text) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  /* The outline of a band of steps: along the top, and back below. */
  const outline = ({ x, low, high }) => {
    const top = [], bottom = [];
    x.slice(0, low.length).forEach((value, row) => {
      if (row) {
        top.push([value, high[row - 1]]);
        bottom.push([value, low[row - 1]]);
      }
      top.push([value, high[row]]);
      bottom.push([value, low[row]]);
    });
    const points = [...top, ...bottom.reverse()];
    return { x: points.map((p) => p[0]), y: points.map((p) => p[1]) };
  };

  const range = ({ low, high }, row) =>
    row < low.length ? ` (${low[row].toFixed(3)} to ${high[row].toFixed(3)})` : "";

  const traces = (method, curve, xLabel, colour, ground, bands, visible) => {
    const most = Math.max(...curve.n);
    const whole = curve.n.filter((n) => n === most).length; // n only falls
    const quiet = { hoverinfo: "skip", visible };
    const line = (first, end, look) => ({
      mode: "lines", visible, x: curve.x.slice(first, end), y: curve.value.slice(first, end),
      line: { shape: "hv", color: colour, ...look },
      customdata: curve.x.slice(first, end).map((_, row) =>
        [range(curve, first + row), curve.n[first + row]]),
      hovertemplate: `<b>${plain(method.label)}</b><br>%{y:.3f}` +
        "%{customdata[0]}, n = %{customdata[1]}" +
        `<br>at %{x:.3~g} ${plain(xLabel)}<extra></extra>`,
    });
    const parts = [];
    if (bands && curve.low.length) {
      parts.push({ ...quiet, ...outline(curve), mode: "lines", fill: "toself",
        line: { width: 0 }, fillcolor: withAlpha(colour, 0.13) });
    }
    parts.push(line(0, whole, { width: 2, dash: method.dash }));
    if (whole < curve.x.length) {
      parts.push(line(whole - 1, curve.x.length, { width: 1.3, dash: "dot" }));
    }
    const at = (values) => curve.marked.map((row) => values[row]);
    const open = method.symbol.includes("open");
    parts.push({ ...quiet, mode: "markers", x: at(curve.x), y: at(curve.value),
      marker: { symbol: method.symbol, size: 9, color: colour,
        line: { width: open ? 1.5 : 0.8, color: open ? colour : ground } },
      error_y: { visible: curve.x.length === 1 && curve.low.length === 1 && bands, type: "data",
        symmetric: false, width: 0, thickness: 2, array: [curve.high[0] - curve.value[0]],
        arrayminus: [curve.value[0] - curve.low[0]] } });
    return parts;
  };

  /* The table behind a picture: all axes that it shows, in the columns of its CSV. */
  const csv = (figure, file) => {
    const cell = (value) => {
      const text = String(value);
      const safe = /^[=+\-@\t\r\n]/.test(text) && typeof value === "string" ? `'${text}` : text;
      return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    };
    const rows = [figure.columns];
    for (const view of Object.values(figure.views).filter((each) => each.file === file)) {
      view.curves.forEach((curve, number) => {
        const [before, after] = [view.before[number], view.after[number]];
        if (!curve) rows.push([...before, "", "", "", "", 0, "False", ...after]);
        else curve.x.forEach((x, row) => rows.push([...before, x, curve.value[row],
          curve.low[row] ?? "", curve.high[row] ?? "", curve.n[row],
          curve.marked.includes(row) ? "True" : "False", ...after]));
      });
    }
    return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
  };

  const save = (name, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const LABEL_PIXELS = 55; // what a label of a tick and the room beside it take

  /* Ticks of a logarithmic axis from 10^low to 10^high, as exponents of ten, no two nearer than gap.
     Plotly labels all digits of a decade, and those below a power of ten overlap. */
  const logTicks = (low, high, gap) => {
    const ticks = [];
    for (const digits of [[1], [5], [2], [3], [1.5, 4, 7], [1.2, 2.5, 6, 8, 9]]) {
      for (const digit of digits) {
        for (let power = Math.floor(low); power <= high; power += 1) {
          const tick = power + Math.log10(digit);
          const fits = ticks.every((other) => Math.abs(tick - other) >= gap);
          if (tick >= low && tick <= high && fits) ticks.push(tick);
        }
      }
    }
    return ticks.sort((a, b) => a - b);
  };

  /* Space the ticks for the part of the axis that is shown; where few fit, Plotly's are linear. */
  const spaceTicks = (plot) => {
    const { type, range, tickvals } = plot.layout.xaxis;
    if (type !== "log") return;
    const gap = (LABEL_PIXELS * (range[1] - range[0])) / plot.clientWidth;
    const exponents = logTicks(...range, gap);
    const ticks = exponents.length < 3 ? null : exponents.map((each) => 10 ** each);
    if (String(ticks) === String(tickvals ?? null)) return;
    Plotly.relayout(plot, { "xaxis.tickmode": ticks && "array", "xaxis.tickvals": ticks });
  };

  const start = async (element) => {
    const letters = document.getElementById(`${element.id}-data`).textContent;
    const figure = await unpack(letters).json();
    const plot = element.querySelector(".plot");
    const choice = (name) => element.querySelector(`[data-choice="${name}"]`);
    const boxes = [...element.querySelectorAll("[data-method]")];
    const swatches = boxes.map((box) => box.parentElement.querySelector(".swatch"));
    let owners = []; // the method of each trace

    const view = () => {
      const axis = choice("axis").value;
      return figure.views[axis] || figure.views[`${axis}_${choice("reading").value}`];
    };

    const offerReadings = (axis) => {
      const alike = figure.alike.includes(axis);
      choice("reading").disabled = alike || axis in figure.views;
      choice("reading").parentElement.hidden = choice("reading").disabled;
      element.querySelector('[data-note="reading"]').hidden = !alike;
    };

    const draw = () => {
      const now = view();
      const ink = style(element, "color");
      const grid = style(element.querySelector("fieldset"), "borderTopColor");
      const faint = style(element.querySelector("figcaption"), "color");
      const ground = style(document.body, "backgroundColor");
      const drawn = [];
      owners = [];
      // Those in front of the legend are drawn last.
      [...figure.methods.keys()].reverse().forEach((number) => {
        const curve = now.curves[number];
        boxes[number].disabled = !curve;
        if (!curve) return;
        const parts = traces(figure.methods[number], curve, now.x, style(swatches[number], "color"),
          ground, choice("bands").checked, boxes[number].checked);
        drawn.push(...parts);
        owners.push(...parts.map(() => number));
      });
      offerReadings(choice("axis").value);
      const least = Math.min(...now.curves.filter(Boolean).map((curve) => curve.x[0]));
      choice("scale").querySelector('[value="log"]').disabled = !(least > 0);
      if (!(least > 0)) choice("scale").value = "linear";
      const log = choice("scale").value === "log";
      const axis = { gridcolor: grid, linecolor: ink, zeroline: false, ticks: "outside",
        tickcolor: ink, showline: true, automargin: true };
      const narrow = plot.clientWidth < 500;
      const layout = {
        showlegend: false, hovermode: "closest", dragmode: narrow ? false : "zoom",
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        font: { color: ink, family: style(document.body, "fontFamily"), size: narrow ? 12 : 13 },
        margin: { l: 8, r: 12, t: narrow ? 8 : 30, b: 8 },
        modebar: { bgcolor: "rgba(0,0,0,0)", color: faint, activecolor: ink },
        hoverlabel: { bgcolor: ground, font: { color: ink }, align: "left" },
        xaxis: { ...axis, title: { text: plain(now.x), standoff: 8 }, type: log ? "log" : "linear",
          ...(log ? { tickformat: "~g" } : { rangemode: "tozero" }) },
        yaxis: { ...axis, title: { text: plain(figure.value).replace("\n", "<br>"), standoff: 8 },
          ...(now.limits.length ? { range: now.limits } : {}) },
        annotations: drawn.length ? [] : [{ text: "no point on this axis", showarrow: false,
          xref: "paper", yref: "paper", x: 0.5, y: 0.5 }],
      };
      return Plotly.react(plot, drawn, layout, { responsive: true, displaylogo: false,
        displayModeBar: !narrow, scrollZoom: false, plotlyServerURL: "",
        // By name, for there is one that sends the figure away.
        modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d",
          "resetScale2d"]] }).then(spaceTicks);
    };

    const chooseScale = () => (choice("scale").value = view().log ? "log" : "linear");
    const show = () =>
      Plotly.restyle(plot, { visible: owners.map((number) => boxes[number].checked) });
    const setAll = (checked) => {
      boxes.forEach((box) => (box.checked = checked));
      show();
    };
    const actions = {
      all: () => setAll(true),
      none: () => setAll(false),
      reset: draw,
      csv: () => save(view().file, csv(figure, view().file)),
    };
    for (const [name, act] of Object.entries(actions)) {
      element.querySelector(`[data-action="${name}"]`).addEventListener("click", act);
    }
    for (const name of ["axis", "reading"]) {
      choice(name).addEventListener("change", () => {
        chooseScale();
        draw();
      });
    }
    for (const name of ["scale", "bands"]) choice(name).addEventListener("change", draw);
    boxes.forEach((box) => box.addEventListener("change", show));
    addEventListener("themechange", draw);
    chooseScale();
    draw().then(() => plot.on("plotly_relayout", () => spaceTicks(plot)));
  };

  // A figure is drawn when it comes near the window.
  const watch = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (!entry.isIntersecting) return;
    watch.unobserve(entry.target);
    start(entry.target);
  }), { rootMargin: "600px" });
  document.querySelectorAll("figure.curves").forEach((element) => watch.observe(element));
})();
