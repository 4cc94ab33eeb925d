"use strict";
/* The step figures of minicnn: a page of numbers that one can touch.

   The page holds a figure's arrays, and the library's results for the settings it was made with.
   `evaluate` computes the same in plain loops for other settings; the tests hold it against the
   library. A figure is an entry of FIGURES: what there is to choose, how many steps there are, and
   its scene, a list of rows of panels, for one state. The state is in the page's address. */
(() => {

// ---- arithmetic, as minicnn.ops has it

const range = n => Array.from({length: Math.max(0, n)}, (_, k) => k);
const full = (h, w, f) => range(h).map(i => range(w).map(j => f(i, j)));
const total = list => list.reduce((sum, v) => sum + v, 0);

/* A setting for height and width: "1x2" has two numbers, any other one for both. */
const axes = v => typeof v === "string" ? v.split("x").map(Number) : [v, v];

/* Positions of a window along one axis: minicnn.ops.window.output_size. */
function outputSize(size, kernel, stride, pad, dilation = 1, ceil = false) {
  const room = size + 2 * pad - dilation * (kernel - 1) - 1;
  let count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  if (ceil && (count - 1) * stride >= size + pad) count -= 1;
  return count;
}

/* Sizes and settings of a convolution, and its kernel cut to the size that is asked for. */
function convSizes(d, s) {
  const w = d.w.slice(0, s.size).map(row => row.slice(0, s.size));
  const [H, W, KH, KW] = [d.x.length, d.x[0].length, w.length, w[0].length];
  const [S, P, D] = [s.stride, s.pad, s.dilation].map(axes);
  return {w, H, W, KH, KW, C: w[0][0].length, O: w[0][0][0].length, S, P, D,
          OH: outputSize(H, KH, S[0], P[0], D[0]), OW: outputSize(W, KW, S[1], P[1], D[1])};
}

const inside = (g, h, k) => h >= 0 && h < g.H && k >= 0 && k < g.W;
const pixel = (d, g, h, k, c) => inside(g, h, k) ? d.x[h][k][c] : 0;
/* Which pixel the window (p, q) reads at its place (i, j). */
const read = (g, p, q, i, j) => [g.S[0] * p + g.D[0] * i - g.P[0],
                                 g.S[1] * q + g.D[1] * j - g.P[1]];

/* The windows (p, q) that read pixel (h, k), and the place (i, j) at which each does. */
function readers(g, h, k) {
  const found = [];
  for (const i of range(g.KH)) for (const j of range(g.KW)) {
    const p = (h + g.P[0] - g.D[0] * i) / g.S[0], q = (k + g.P[1] - g.D[1] * j) / g.S[1];
    if (Number.isInteger(p) && Number.isInteger(q) && p >= 0 && p < g.OH && q >= 0 && q < g.OW)
      found.push({p, q, i, j});
  }
  return found;
}

/* dy at other settings than its own: cut, or repeated in both directions. */
const repeated = (dy, h, w) => full(h, w, (p, q) => dy[p % dy.length][q % dy[0].length]);

const evaluate = {
  /* y, dx, dw, db; dx also with the border of padding, after the first `upto` outputs. */
  conv(d, s, upto = Infinity) {
    const g = convSizes(d, s), dy = d.dy ? repeated(d.dy, g.OH, g.OW) : null;
    const y = full(g.OH, g.OW, (p, q) => range(g.O).map(o => {
      let sum = 0;
      for (const i of range(g.KH)) for (const j of range(g.KW)) {
        const [h, k] = read(g, p, q, i, j);
        for (const c of range(g.C)) sum += pixel(d, g, h, k, c) * g.w[i][j][c][o];
      }
      return sum + d.b[o];
    }));
    const bordered = full(g.H + 2 * g.P[0], g.W + 2 * g.P[1], () => Array(g.C).fill(0));
    const count = full(g.H + 2 * g.P[0], g.W + 2 * g.P[1], () => 0);
    const dw = full(g.KH, g.KW, () => range(g.C).map(() => Array(g.O).fill(0)));
    const db = Array(g.O).fill(0);
    for (const r of range(Math.min(upto, g.OH * g.OW))) {
      const p = Math.floor(r / g.OW), q = r % g.OW;
      for (const i of range(g.KH)) for (const j of range(g.KW)) {
        const [h, k] = read(g, p, q, i, j);
        count[h + g.P[0]][k + g.P[1]] += 1;
        if (dy) for (const c of range(g.C)) for (const o of range(g.O)) {
          bordered[h + g.P[0]][k + g.P[1]][c] += dy[p][q][o] * g.w[i][j][c][o];
          dw[i][j][c][o] += dy[p][q][o] * pixel(d, g, h, k, c);
        }
      }
      if (dy) for (const o of range(g.O)) db[o] += dy[p][q][o];
    }
    const within = a => a.slice(g.P[0], g.P[0] + g.H)
      .map(row => row.slice(g.P[1], g.P[1] + g.W));
    return {g, y, dy, dw, db, bordered, count: within(count), arrived: count, dx: within(bordered)};
  },

  poolSizes(d, s) {
    const [[KH, KW], S, P] = [s.window, s.stride, s.pad].map(axes);
    const H = d.x.length, W = d.x[0].length, ceil = s.rounding === "ceil";
    return {H, W, KH, KW, S, P, D: [1, 1], OH: outputSize(H, KH, S[0], P[0], 1, ceil),
            OW: outputSize(W, KW, S[1], P[1], 1, ceil)};
  },

  /* y and switches; after the first `upto` windows dx, y unpooled, and how many of the windows
     came to each pixel. */
  pool(d, s, upto = Infinity) {
    const g = evaluate.poolSizes(d, s), {H, W, KH, KW} = g;
    const y = full(g.OH, g.OW, () => -Infinity), switches = full(g.OH, g.OW, () => -1);
    const [dx, unpooled, won] = range(3).map(() => full(H, W, () => 0));
    const dy = repeated(d.dy, g.OH, g.OW);
    for (const p of range(g.OH)) for (const q of range(g.OW)) {
      for (const i of range(KH)) for (const j of range(KW)) {
        const [h, k] = read(g, p, q, i, j);
        if (inside(g, h, k) && (switches[p][q] < 0 || d.x[h][k] > y[p][q]))
          [y[p][q], switches[p][q]] = [d.x[h][k], i * KW + j];
      }
      const place = switches[p][q];
      const [h, k] = read(g, p, q, Math.floor(place / KW), place % KW);
      if (p * g.OW + q < upto) {
        dx[h][k] += dy[p][q];
        unpooled[h][k] += y[p][q];
        won[h][k] += 1;
      }
    }
    return {g, y, switches, dy, dx, unpooled, won};
  },

  /* The three rules on arrays of any shape (H, W). */
  relu(d) {
    const by = rule => d.x.map((row, i) => row.map((x, j) => rule(x, d.dy[i][j]) ? d.dy[i][j] : 0));
    return {y: d.x.map(row => row.map(x => Math.max(x, 0))),
            gradient: by(x => x > 0), deconvnet: by((x, dy) => dy > 0),
            guided: by((x, dy) => x > 0 && dy > 0)};
  },

  /* All steps on the way up and down, of C channels at one position. */
  lrn(d, s) {
    const half = (s.n - 1) / 2, C = d.x.length;
    const near = c => range(C).filter(other => Math.abs(other - c) <= half);
    const a = s.convention === "caffe" ? s.alpha / s.n : s.alpha;
    const square = d.x.map(x => x * x);
    const scale = range(C).map(c => s.k + a * total(near(c).map(o => square[o])));
    const y = d.x.map((x, c) => x * scale[c] ** -s.beta);
    const g = d.dy.map((dy, c) => dy * scale[c] ** -s.beta);
    const part = g.map((one, c) => one * d.x[c] / scale[c]);
    const cross = range(C).map(c => -2 * a * s.beta * d.x[c] * total(near(c).map(o => part[o])));
    return {near, a, square, scale, y, g, part, cross, dx: g.map((one, c) => one + cross[c])};
  },

  /* The Gram matrix of an activation (H, W, C): the mean of the products of its channels. */
  gram(d) {
    const [H, W, C] = [d.a.length, d.a[0].length, d.a[0][0].length];
    const mean = (i, j) => total(d.a.flat().map(at => at[i] * at[j])) / (H * W);
    return {H, W, C, g: full(C, C, mean)};
  },
};

// ---- numbers that the reader changed: "x.1.2.0:5_dy.0.0.0:-3" names places of arrays

const EDITED = /^(x|w|dy|a)((?:\.\d+)+):(-?\d+(?:\.\d+)?)$/, LARGEST = 1e6;
const held = (data, path) => path.reduce((part, key) => part && part[key], data);

/* The changes that a text names, each [path, value]; what names no number of the figure is left. */
function changes(data, named) {
  return (named || "").split("_").map(one => one.match(EDITED)).filter(Boolean)
    .map(([, array, places, value]) => [[array, ...places.slice(1).split(".").map(Number)],
                                        Number(value)])
    .filter(([path, value]) => typeof held(data, path) === "number" && Math.abs(value) <= LARGEST);
}
const asText = list => list.map(([path, value]) => `${path.join(".")}:${value}`).join("_");

/* One more change; a number that is as it was is no change. */
function withChange(data, named, path, value) {
  const others = changes(data, named).filter(([one]) => one.join() !== path.join());
  return asText(value === held(data, path) ? others : [...others, [path, value]]);
}

function edited(data, named) {
  if (!named) return data;
  const copy = structuredClone(data);
  for (const [path, value] of changes(data, named))
    held(copy, path.slice(0, -1))[path.at(-1)] = value;
  return copy;
}

/* Where the number of a panel's cell is in a convolution's arrays; of a pooling's. */
const inConv = (d, s, id, i, j) => id === "x" && s.view !== "dx" && s.view !== "down"
  ? ["x", i, j, s.c || 0] : id === "w" ? ["w", i, j, s.c || 0, s.o || 0]
  : id === "dy" ? ["dy", i % d.dy.length, j % d.dy[0].length, s.o || 0] : [];
const inMap = (d, s, id, i, j) => id === "x" && (!s.view || s.view === "up") ? ["x", i, j]
  : id === "dy" ? ["dy", i % d.dy.length, j % d.dy[0].length] : [];

// ---- numbers as text

function text(v) {
  if (v === undefined || v === null) return "";
  if (!Number.isFinite(v)) return v > 0 ? "∞" : "−∞";
  let shown;
  if (Number.isInteger(v) && Math.abs(v) < 1e7) shown = String(Math.abs(v));
  else if (Math.abs(v) >= 1e-3 && Math.abs(v) < 1e7) {
    const order = Math.floor(Math.log10(Math.abs(v)));
    const digits = Math.max(0, order < -1 ? 1 - order : 2 - order);
    shown = String(Number(Math.abs(v).toFixed(digits)));
  } else shown = Math.abs(v).toExponential(1).replace("e-", "e−").replace("e+", "e");
  return (v < 0 && Number(shown.replace("−", "-")) !== 0 ? "−" : "") + shown;
}
const factor = v => v < 0 ? `(${text(v)})` : text(v);
const name = (array, ...places) => `<i>${array}</i>[${places.map(text).join(", ")}]`;
const plain = words => words.replace(/[&<>"]/g, one => `&#${one.charCodeAt(0)};`);  // as HTML
const several = (n, one, many = one + "s") => `${n} ${n === 1 ? one : many}`;
const listed = parts => parts.length < 2 ? parts.join("")
  : `${parts.slice(0, -1).join(", ")} and ${parts[parts.length - 1]}`;

/* a·b + c·d + ... = sum, as pieces that break between terms. `on` says which term is marked. */
function sum(left, terms, rest, value, on) {
  const pieces = terms.map((t, k) => `<span class="term${k === on ? " on" : ""}${
    t.length > 30 ? " free" : ""}">${t}</span>`);
  if (!rest.length && terms.length === 1 && terms[0] === factor(value))
    return `<span class="term">${left} = <b>${text(value)}</b></span>`;
  return `<span class="term">${left} =</span> ` + [...pieces, ...rest].join(" + ")
    + (value === undefined ? "" : ` <span class="term">= <b>${text(value)}</b></span>`);
}

/* A scene's panel is a small table of cells {v value, k marks, s small text below, depth how many
   numbers were added up there, out if it is padding, plain if it has no colour}. A panel is
   coloured by the scale of the one that it is `like`. */

const panel = (id, symbol, words, h, w, cell, more = {}) =>
  ({id, symbol, words, cells: full(h, w, cell), ...more});
const sign = symbol => ({sign: symbol});
const size = (h, w) => `${h}\u00a0×\u00a0${w}`;
const both = v => typeof v === "string" ? size(...axes(v)) : String(v);
const same = (at, id, i, j) => at && at[0] === id && at[1] === i && at[2] === j;

/* What windows can be set to; choices that leave no window, or a page too large, are refused. */
function windowSettings(d, own, most) {
  const largest = Math.max(d.w.length, d.w[0].length);
  return [
    {key: "size", label: "kernel", options: range(largest).map(k => [k + 1,
      k + 1 === largest ? size(d.w.length, d.w[0].length) : size(Math.min(k + 1, d.w.length),
                                                                Math.min(k + 1, d.w[0].length))])},
    {key: "stride", label: "stride", options: upTo(1, 3, own.stride)},
    {key: "pad", label: "padding", options: upTo(0, 2, own.pad)},
    {key: "dilation", label: "dilation", options: upTo(1, 3, own.dilation)},
    ...chosen("c", "channel", d.x[0][0].length), ...chosen("o", "kernel no.", d.b.length),
  ].map(one => ({...one, fits: s => {
    const g = convSizes(d, s);
    return g.OH > 0 && g.OW > 0 && most(g);
  }}));
}
/* Numbers to choose from; the figure's own setting is among them. */
const upTo = (first, last, own = last) => [
  ...range(Math.max(last, ...axes(own)) - first + 1).map(k => [first + k, String(first + k)]),
  ...typeof own === "string" ? [[own, both(own)]] : []];
const chosen = (key, label, n) => n > 1 ? [{key, label, options: upTo(0, n - 1)}] : [];

const SIDE = 16;  // the most rows or columns of a panel
const small = g => g.H + 2 * g.P[0] <= SIDE && g.W + 2 * g.P[1] <= SIDE;

/* x with its padding; `mark` gives more of a cell. */
const image = (d, g, c, words, mark, value = (h, k) => pixel(d, g, h, k, c)) =>
  panel("x", "x", words, g.H + 2 * g.P[0], g.W + 2 * g.P[1], (i, j) => {
    const [h, k] = [i - g.P[0], j - g.P[1]];
    return {v: value(h, k), ...mark(h, k), out: !inside(g, h, k)};
  }, {first: g.P.map(pad => -pad)});

const inWindow = (g, p, q) => {
  const set = new Set(full(g.KH, g.KW, (i, j) => read(g, p, q, i, j).join()).flat());
  return (h, k) => set.has([h, k].join());
};

const FIGURES = {};

FIGURES.conv = {
  place: inConv,
  run: (d, s) => evaluate.conv(d, s),
  settings: d => windowSettings(d, d.settings, small),
  count: (d, s) => { const g = convSizes(d, s); return g.OH * g.OW; },
  products: (d, s) => { const g = convSizes(d, s); return g.KH * g.KW; },
  stepName: (d, s) => {
    const g = convSizes(d, s);
    return `window (${Math.floor(s.step / g.OW)}, ${s.step % g.OW})`;
  },
  point(d, s, id, i, j) {
    const g = convSizes(d, s);
    if (id === "y") return {step: i * g.OW + j, at: null};
    if (id === "x") return {at: ["x", i, j]};
    return {at: ["w", i, j]};
  },
  scene(d, s, r) {
    const {g} = r, {c = 0, o = 0, at} = s, [p, q] = [Math.floor(s.step / g.OW), s.step % g.OW];
    const from = at && at[0] === "x" ? readers(g, at[1], at[2]) : null;
    const place = (i, j) => from ? from.find(one => one.i === i && one.j === j) : {p, q, i, j};
    const value = (i, j) => {
      const there = place(i, j);
      return there && (from ? pixel(d, g, at[1], at[2], c)
                            : pixel(d, g, ...read(g, p, q, i, j), c));
    };
    const product = (i, j) => place(i, j) && value(i, j) * g.w[i][j][c][o];
    const upto = s.t || g.KH * g.KW, seen = (i, j) => from || i * g.KW + j < upto;
    const now = (i, j) => !from && (s.t ? i * g.KW + j === s.t - 1 : same(at, "w", i, j));
    const win = inWindow(g, p, q);
    const part = total(full(g.KH, g.KW, (i, j) => seen(i, j) && product(i, j) || 0).flat());
    const kin = (i, j) => ({k: [now(i, j) && "part", !place(i, j) && "off"]});
    const rows = [[
      image(d, g, c, `the input, ${size(g.H, g.W)}${s.pad ? `, and padding ${both(s.pad)}` : ""}`
            + (g.C > 1 ? `, channel ${c}` : ""), (h, k) => ({
        k: [from ? same(at, "x", h, k) && "one" : win(h, k) && "win",
            !from && full(g.KH, g.KW, now).flat().some((on, n) => on && read(
              g, p, q, Math.floor(n / g.KW), n % g.KW).join() === [h, k].join()) && "part"]})),
      sign("→"),
      panel("y", "y", `the output, ${size(g.OH, g.OW)}${g.O > 1 ? `, kernel ${o}` : ""}`,
            g.OH, g.OW, (i, j) => {
        const by = from && from.find(one => one.p === i && one.q === j);
        return {v: s.t && i === p && j === q ? part : r.y[i][j][o],
                k: [from ? by && "part" : i === p && j === q && "one"],
                s: by ? `×${text(g.w[by.i][by.j][c][o])}` : ""};
      }),
    ], [
      panel("a", from ? name("x", at[1], at[2]) : "window", from
            ? "once for each window that reads it" : `(${p}, ${q}) of x`, g.KH, g.KW,
            (i, j) => ({v: value(i, j), ...kin(i, j)}), {like: "x"}),
      sign("×"),
      panel("w", "w", "the kernel", g.KH, g.KW, (i, j) => ({v: g.w[i][j][c][o], ...kin(i, j)})),
      sign("="),
      panel("m", "products", from ? "each goes to y, at the place below it" : "to be added",
            g.KH, g.KW,
            (i, j) => ({v: seen(i, j) ? product(i, j) : undefined, ...kin(i, j),
                        s: from && place(i, j) ? `${place(i, j).p},${place(i, j).q}` : ""})),
    ]];
    if (from) {
      const here = name("x", at[1], at[2]);
      return {rows, sum: "", words: `${here} is read by ${several(from.length, "window")}. ${
        from.length ? `Raise it by 1, and each of these outputs changes by the weight that it met
        the pixel with, shown below its number: the derivatives <i>∂y</i>/<i>∂</i>${here}. The
        way back begins here.`
        : "No output hears from it."}`};
    }
    const terms = full(g.KH, g.KW, (i, j) => `${factor(value(i, j))}·${factor(g.w[i][j][c][o])}`)
      .flat().slice(0, upto);
    const own = total(full(g.KH, g.KW, product).flat());
    const others = r.y[p][q][o] - own - d.b[o];
    const rest = s.t ? [] : [...g.C > 1 ? [`<span class="term">${factor(others)} of the other
      channels</span>`] : [], `<span class="term">${factor(d.b[o])} <small>bias</small></span>`];
    const on = s.t ? s.t - 1 : at && at[0] === "w" ? at[1] * g.KW + at[2] : -1;
    return {rows, sum: sum(name("y", p, q), terms, rest, s.t ? part : r.y[p][q][o], on),
            words: s.t ? `Product ${s.t} of ${g.KH * g.KW} is added. The sum so far is ${
              text(part)}.` : `The window of ${name("y", p, q)} begins at row ${
              text(read(g, p, q, 0, 0)[0])}, column ${text(read(g, p, q, 0, 0)[1])} of <i>x</i>. ${
              several(g.KH * g.KW * g.C, "product")} and the bias add up to <b>${
              text(r.y[p][q][o])}</b>.`};
  },
};

FIGURES.back = {
  place: inConv,
  views: [["dx", "dx: the pixels"], ["dw", "dw: the weights"], ["db", "db: the bias"]],
  run: (d, s) => evaluate.conv(d, s),
  settings: d => windowSettings(d, d.settings, small),
  count: (d, s) => { const g = convSizes(d, s); return g.OH * g.OW + 1; },
  stepName: (d, s) => {
    const g = convSizes(d, s), r = s.step - 1;
    return s.step ? `output (${Math.floor(r / g.OW)}, ${r % g.OW})` : "before the first output";
  },
  point(d, s, id, i, j) {
    const g = convSizes(d, s);
    if (id === "dy") return {step: i * g.OW + j + 1, at: null};
    if (id === "x" && s.view === "dx") return {at: ["x", i, j]};
    if (id === "dw") return {at: ["dw", i, j]};
    return s.view === "dx" && s.step ? {at: ["w", i, j]} : null;
  },
  scene(d, s, r) {
    const {g} = r, {c = 0, o = 0, at} = s, last = s.step - 1;
    const [p, q] = s.step ? [Math.floor(last / g.OW), last % g.OW] : [-1, -1];
    const sofar = evaluate.conv(d, s, s.step);
    const dyPanel = mark => panel("dy", "dy", `gradient at y, ${size(g.OH, g.OW)}${
      g.O > 1 ? `, kernel ${o}` : ""}`, g.OH, g.OW, (i, j) => ({v: r.dy[i][j][o], ...mark(i, j)}));
    const sent = (i, j) => ({k: [i === p && j === q && "one",
                                 i * g.OW + j >= s.step && "wait"]});
    return this[s.view]({d, s, r, g, c, o, at, p, q, sofar, dyPanel, sent});
  },
  dx({d, s, r, g, c, o, at, p, q, sofar, dyPanel, sent}) {
    const to = at && at[0] === "x" ? readers(g, at[1], at[2]) : null;
    const win = s.step && !to ? inWindow(g, p, q) : () => false;
    const place = (i, j) => to ? to.find(one => one.i === i && one.j === j)
      : s.step ? {p, q, i, j} : undefined;
    const seed = (i, j) => { const one = place(i, j); return one && r.dy[one.p][one.q][o]; };
    const sends = (i, j) => place(i, j) && seed(i, j) * g.w[i][j][c][o];
    const lit = (i, j) => same(at, "w", i, j), landed = at && at[0] === "w" && s.step
      ? read(g, p, q, at[1], at[2]) : null;
    const kin = (i, j) => ({k: [lit(i, j) && "part", !place(i, j) && "off"]});
    const now = to ? r : sofar, last = s.step === g.OH * g.OW, rows = [[
      dyPanel((i, j) => {
        const by = to && to.find(one => one.p === i && one.q === j);
        return to ? {k: [by && "part"], s: by ? `×${text(g.w[by.i][by.j][c][o])}` : ""}
                  : sent(i, j);
      }),
      sign("→"),
      {...image(d, g, c, `gradient at x, ${size(g.H, g.W)}${g.C > 1 ? `, channel ${c}` : ""}${
        s.pad ? "; what falls into the padding is lost" : ""}`, (h, k) => ({
        k: [to ? same(at, "x", h, k) && "one" : win(h, k) && "win",
            landed && landed[0] === h && landed[1] === k && "part"],
        depth: now.arrived[h + g.P[0]][k + g.P[1]],
      }), (h, k) => now.bordered[h + g.P[0]][k + g.P[1]][c]), symbol: "dx"},
    ], [
      panel("a", "dy", to ? "that arrive, by the weight they take" : s.step
            ? `of output (${p}, ${q}), for each weight` : "none yet", g.KH, g.KW,
            (i, j) => ({v: seed(i, j), ...kin(i, j)}), {like: "dy"}),
      sign("×"),
      panel("w", "w", "the kernel, as it lies", g.KH, g.KW, (i, j) => ({
        v: g.w[i][j][c][o], ...kin(i, j)})),
      sign("="),
      panel("m", "products", to ? "they add up at the pixel" : "what the output sends",
            g.KH, g.KW, (i, j) => ({v: sends(i, j), ...kin(i, j)})),
    ]];
    if (to) {
      const terms = to.map(one =>
        `${factor(r.dy[one.p][one.q][o])}·${factor(g.w[one.i][one.j][c][o])}`);
      const value = r.bordered[at[1] + g.P[0]][at[2] + g.P[1]][c];
      const own = total(to.map(one => r.dy[one.p][one.q][o] * g.w[one.i][one.j][c][o]));
      const rest = g.O > 1 ? [`<span class="term">${factor(value - own)} of the other
        kernels</span>`] : [];
      return {rows, sum: sum(name("dx", at[1], at[2]), terms.length ? terms : ["0"], rest, value),
              words: inside(g, at[1], at[2])
        ? (to.length ? `This pixel was read by ${several(to.length, "window")}. ${
          to.length > 1 ? "Each" : "It"} sends its <i>dy</i>, times the weight it read the pixel
          with.` : "No window read this pixel, so nothing arrives.") + (to.length > 1
          ? ` A later window read it with an earlier weight: so <i>dy</i> stands in reverse order
              before the kernel.` : "")
          + (last || !to.length ? "" : " This is the sum when all have arrived.")
        : "This place is padding. Its gradient belongs to no pixel and is cut off."};
    }
    if (!s.step) return {rows, sum: "", words: `<i>dx</i> begins as zeros. Each output will now
      send its <i>dy</i> to all pixels that it read.`};
    if (landed) return {rows, sum: sum("it sends", [`${factor(r.dy[p][q][o])}·${
      factor(g.w[at[1]][at[2]][c][o])}`], [], sends(at[1], at[2])), words: `Output (${p}, ${q})
      read ${name("x", ...landed)} with ${name("w", at[1], at[2])}. So it sends <i>dy</i> times
      this weight back to ${name("dx", ...landed)}.`};
    const most = Math.max(...sofar.arrived.flat());
    return {rows, sum: "", words: `Output (${p}, ${q}) spreads the kernel, times its <i>dy</i> of
      <b>${text(r.dy[p][q][o])}</b>, onto the window that it read. ${most > 1
      ? "Where windows overlap, the numbers add up." : "The pixels outside get nothing."} Each dot
      below a number of <i>dx</i> stands for one number that has arrived there.`};
  },
  dw({d, s, r, g, c, o, at, p, q, sofar, dyPanel, sent}) {
    const on = at && at[0] === "dw" ? at : null, win = s.step && !on ? inWindow(g, p, q)
      : () => false;
    const uses = on ? full(g.OH, g.OW, (u, v) => read(g, u, v, on[1], on[2])) : null;
    const used = on ? new Set(uses.flat().map(place => place.join())) : new Set();
    const now = on ? r : sofar, [h1, w1] = on ? [g.OH, g.OW] : [g.KH, g.KW];
    const pix = (i, j) => on ? pixel(d, g, ...uses[i][j], c)
      : s.step ? pixel(d, g, ...read(g, p, q, i, j), c) : undefined;
    const seed = (i, j) => on ? r.dy[i][j][o] : s.step ? r.dy[p][q][o] : undefined;
    const rows = [[
      dyPanel((i, j) => on ? {k: ["part"]} : sent(i, j)),
      image(d, g, c, `the input, ${size(g.H, g.W)}${g.C > 1 ? `, channel ${c}` : ""}`, (h, k) => ({
        k: [on ? used.has([h, k].join()) && "part" : win(h, k) && "win"]})),
      sign("→"),
      panel("dw", "dw", `gradient at w, ${size(g.KH, g.KW)}`, g.KH, g.KW, (i, j) => ({
        v: now.dw[i][j][c][o], k: [same(on, "dw", i, j) && "one"],
        depth: on ? 0 : s.step})),
    ], [
      panel("a", on ? "x" : "window", on ? `the pixels that met ${name("w", on[1], on[2])}` : s.step
            ? `(${p}, ${q}) of x` : "none yet", h1, w1, (i, j) => ({v: pix(i, j)}), {like: "x"}),
      sign("×"),
      panel("b", "dy", on ? "of the same windows" : s.step ? `of output (${p}, ${q})`
            : "none yet", h1, w1, (i, j) => ({v: seed(i, j)}), {like: "dy"}),
      sign("="),
      panel("m", "products", on ? "they add up to one number" : "added to dw", h1, w1,
            (i, j) => ({v: seed(i, j) === undefined ? undefined : pix(i, j) * seed(i, j)})),
    ]];
    if (on) return {rows, sum: sum(name("dw", on[1], on[2]), full(g.OH, g.OW, (i, j) =>
      `${factor(pix(i, j))}·${factor(seed(i, j))}`).flat(), [], r.dw[on[1]][on[2]][c][o]),
      words: `All outputs use ${name("w", on[1], on[2])}. Each met one pixel through it, and sends
        its <i>dy</i> times that pixel.${s.step === g.OH * g.OW ? ""
        : " This is the sum when all have arrived."}`};
    return {rows, sum: "", words: s.step ? `Output (${p}, ${q}) saw this window. It sends its
      <i>dy</i> of <b>${text(r.dy[p][q][o])}</b> to each weight, times the pixel that lay below
      it.` : "<i>dw</i> begins as zeros. Every output will add to every weight."};
  },
  db({r, g, o, s, p, q, sofar, dyPanel, sent}) {
    const terms = r.dy.flat().slice(0, s.step).map(one => factor(one[o]));
    return {rows: [[dyPanel(sent), sign("→"), panel("db", "db", "gradient at b", 1, 1,
      () => ({v: sofar.db[o], depth: s.step}))]],
      sum: s.step ? sum("<i>db</i>", terms, [], sofar.db[o], terms.length - 1) : "",
      words: s.step ? `The bias was added to output (${p}, ${q}) with the factor 1. So <i>db</i> is
        the sum of <i>dy</i>.` : "<i>db</i> begins as zero."};
  },
};

FIGURES.columns = {
  place: inConv,
  views: [["up", "up: copy windows"], ["down", "down: add copies"]],
  run: (d, s) => evaluate.conv(d, s),
  settings: d => windowSettings(d, d.settings, g => small(g) && g.OH * g.OW <= 36),
  count: (d, s) => { const g = convSizes(d, s); return g.OH * g.OW; },
  stepName: (d, s) => `row ${s.step}`,
  point(d, s, id, i, j) {
    if (id === "x" || id === "count") return {at: ["x", i, j]};
    if (id === "out") return {step: i, at: null};
    return id === "wide" ? {step: i, at: ["wide", i, j]} : null;
  },
  scene(d, s, r) {
    const {g} = r, {c = 0, o = 0, at} = s, up = s.view === "up", n = g.OH * g.OW;
    const [p, q] = [Math.floor(s.step / g.OW), s.step % g.OW], K = g.KH * g.KW * g.C;
    const parts = k => [Math.floor(k / g.C / g.KW), Math.floor(k / g.C) % g.KW, k % g.C];
    const from = at && at[0] === "x" ? readers(g, at[1], at[2]) : null, win = inWindow(g, p, q);
    const one = at && at[0] === "wide" ? at[2] : -1;  // the column of one entry
    const source = one < 0 ? [] : read(g, p, q, parts(one)[0], parts(one)[1]);
    const copies = new Set((from || []).map(one =>
      `${one.p * g.OW + one.q},${(one.i * g.KW + one.j) * g.C + c}`));
    const entry = (row, k) => {
      const [i, j, channel] = parts(k), [u, v] = [Math.floor(row / g.OW), row % g.OW];
      return up ? pixel(d, g, ...read(g, u, v, i, j), channel)
        : total(range(g.O).map(one => r.dy[u][v][one] * g.w[i][j][channel][one]));
    };
    const lit = (row, k) => ({k: [from ? copies.has(`${row},${k}`) && "part"
                                       : row === s.step && "win",
                                  same(at, "wide", row, k) && "part"]});
    const mark = (h, k) => ({k: [from ? same(at, "x", h, k) && "one" : win(h, k) && "win",
                                 one >= 0 && parts(one)[2] === c && source[0] === h
                                 && source[1] === k && "part"]});
    const picture = image(d, g, c, `${up ? "the input" : "gradient at x"}, ${size(g.H, g.W)}${
      g.C > 1 ? `, channel ${c}` : ""}`, mark,
      up ? undefined : (h, k) => r.bordered[h + g.P[0]][k + g.P[1]][c]);
    const wide = panel("wide", up ? "cols" : "dcols", `${n} rows: a window each; ${K} columns`,
                       n, K, (row, k) => ({v: entry(row, k), ...lit(row, k)}));
    const out = panel("out", up ? "y" : "dy", "a row each", n, 1, (row) => ({
      v: up ? r.y[Math.floor(row / g.OW)][row % g.OW][o] : r.dy[Math.floor(row / g.OW)][
        row % g.OW][o], k: [!from && row === s.step && "one",
                            from && from.some(one => one.p * g.OW + one.q === row) && "part"]}));
    const column = panel("column", "W", "w as a column", K, 1, k => {
      const [i, j, channel] = parts(k);
      return {v: g.w[i][j][channel][o], k: [k === one && "part"]};
    });
    const line = panel("line", "Wᵀ", "w as a row", 1, K, (_, k) => {
      const [i, j, channel] = parts(k);
      return {v: g.w[i][j][channel][o], k: [k === one && "part"]};
    });
    const rows = [[{...picture, symbol: up ? "x" : "dx"},
      panel("count", "copies", "windows that read each pixel", g.H, g.W, (h, k) => ({
        v: r.count[h][k], depth: r.count[h][k], dots: false, k: [same(at, "x", h, k) && "one"]}))],
      up ? [wide, sign("×"), column, sign("="), out] : [out, sign("×"), line, sign("="), wide]];
    if (from) {
      const terms = from.map(one => factor(entry(one.p * g.OW + one.q,
                                                 (one.i * g.KW + one.j) * g.C + c)));
      const [h, k] = [at[1], at[2]];
      return {rows, sum: up ? "" : sum(name("dx", h, k), terms.length ? terms : ["0"], [],
                                       r.bordered[h + g.P[0]][k + g.P[1]][c]),
              words: !from.length ? `No window reads ${name("x", h, k)}: it has no copy${
                up ? "." : ", and its gradient is 0."}` : up ? `${name("x", h, k)} stands in ${
                several(from.length, "place")} of <i>cols</i>, one for each window that reads it.`
                : from.length > 1 ? `The ${from.length} entries that were copies of this pixel go
                back to it and add up. That is col2im.`
                : "The one entry that was a copy of this pixel goes back to it."};
    }
    const products = range(K).map(k => {
      const [i, j, channel] = parts(k);
      return `${factor(entry(s.step, k))}·${factor(g.w[i][j][channel][o])}`;
    });
    const bias = `<span class="term">${factor(d.b[o])} <small>bias</small></span>`;
    const adds = up ? sum(name("y", p, q), products, [bias], r.y[p][q][o], one) : "";
    if (one >= 0) {
      const of = g.C > 1 ? ` of channel ${parts(one)[2]}` : "";
      return {rows, sum: adds, words: up
        ? `${name("cols", s.step, one)} is a copy of ${name("x", ...source)}${of}. It is multiplied
           by ${name("W", one)}.`
        : `${name("dcols", s.step, one)} is ${name("dy", p, q)} times ${name("W", one)}. It goes
           back to ${name("dx", ...source)}${of}.`};
    }
    return {rows, sum: adds, words: up
      ? `Row ${s.step} of <i>cols</i> is the window (${p}, ${q}), row by row. Times the column
         <i>W</i> it gives ${name("y", p, q)}.`
      : `Row ${s.step} of <i>dcols</i> is ${name("dy", p, q)} times the kernel. It goes back to the
         window that the row was copied from.`};
  },
};

FIGURES.pool = {
  place: inMap,
  views: [["up", "up: take the maximum"], ["down", "down: dy"], ["unpool", "unpool: y"]],
  run: (d, s) => evaluate.pool(d, s),
  settings: d => [
    {key: "window", label: "window", options: upTo(1, 3, d.settings.window).map(([value]) =>
      [value, size(...axes(value))])},
    {key: "stride", label: "stride", options: upTo(1, 3, d.settings.stride)},
    {key: "pad", label: "padding", options: upTo(0, 1, d.settings.pad)},
    {key: "rounding", label: "rounding", options: [["floor", "floor"], ["ceil", "ceil"]]},
  ].map(one => ({...one, fits: s => {
    const g = evaluate.poolSizes(d, s);
    return g.P[0] < g.KH && g.P[1] < g.KW && g.OH > 0 && g.OW > 0;
  }})),
  count: (d, s) => {
    const g = evaluate.poolSizes(d, s);
    return g.OH * g.OW + (s.view !== "up");
  },
  stepName: (d, s) => {
    const g = evaluate.poolSizes(d, s), r = s.step - (s.view !== "up");
    return r < 0 ? "before the first window" : `window (${Math.floor(r / g.OW)}, ${r % g.OW})`;
  },
  point(d, s, id, i, j) {
    const g = evaluate.poolSizes(d, s), down = s.view !== "up";
    if (id === "x") return inside(g, i, j) ? {at: ["x", i, j]} : null;
    if (["y", "switches", "dy"].includes(id)) return {step: i * g.OW + j + down, at: null};
    return null;
  },
  scene(d, s, r) {
    const {g} = r, {at} = s, down = s.view !== "up", K = g.KW, index = s.step - down;
    const [from, to] = s.view === "unpool" ? ["y", "unpooled"] : ["dy", "dx"];  // on the way down
    const [p, q] = index < 0 ? [-1, -1] : [Math.floor(index / g.OW), index % g.OW];
    const winner = (u, v) => read(g, u, v, Math.floor(r.switches[u][v] / K), r.switches[u][v] % K);
    const [wh, wk] = index < 0 ? [-9, -9] : winner(p, q);
    const sees = at ? readers(g, at[1], at[2]) : null;
    const seen = (i, j) => sees && sees.some(one => one.p === i && one.q === j);
    const won = (i, j) => seen(i, j) && winner(i, j).join() === [at[1], at[2]].join();
    const win = index < 0 ? () => false : inWindow(g, p, q);
    const extent = (axis, n, o, k) => Math.max(n + 2 * g.P[axis], g.S[axis] * (o - 1) + k);
    const sofar = evaluate.pool(d, s, down && !at ? s.step : Infinity);
    const xPanel = panel("x", down ? to : "x", `${!down ? "the input" : to === "dx"
      ? "gradient at x" : "each maximum at its place"}, ${size(g.H, g.W)}${
      s.pad && !down ? ", and padding of −∞" : ""}`,  // with ceil, windows stick out
      extent(0, g.H, g.OH, g.KH), extent(1, g.W, g.OW, g.KW), (i, j) => {
        const [h, k] = [i - g.P[0], j - g.P[1]], here = inside(g, h, k);
        return {v: here ? (down ? sofar[to] : d.x)[h][k] : down ? undefined : -Infinity, out: !here,
                depth: down && here ? sofar.won[h][k] : undefined,
                k: [at ? same(at, "x", h, k) && "one" : win(h, k) && "win",
                    !at && h === wh && k === wk && "one"]};
      }, {first: g.P.map(pad => -pad)});
    const place = (i, j) => ({k: [at ? won(i, j) ? "part" : seen(i, j) && "lost"
                                     : i === p && j === q && "one",
                                  down && !at && i * g.OW + j >= s.step && "wait"]});
    const yPanel = panel("y", "y", `the output, ${size(g.OH, g.OW)}`, g.OH, g.OW, (i, j) => ({
      v: r.y[i][j], ...place(i, j)}), {like: down ? "y" : "x"});
    const switches = panel("switches", "switches", "place of the maximum", g.OH, g.OW, (i, j) => ({
      v: r.switches[i][j], ...place(i, j), plain: true}));
    const dyPanel = panel("dy", "dy", `gradient at y, ${size(g.OH, g.OW)}`, g.OH, g.OW, (i, j) => ({
      v: r.dy[i][j], ...place(i, j)}));
    const holds = (i, j) => sees.find(one => one.i === i && one.j === j);  // a window, at the pixel
    const window = panel("a", at ? down ? from : "y" : "window", at ? down
      ? "what each window that sees the pixel sends to it; below: which window"
      : "the maximum of each window that sees the pixel; below: which window"
      : index < 0 ? "none yet" : down ? `(${p}, ${q}): only what this window sends`
      : `(${p}, ${q}), its places numbered`, g.KH, g.KW, (i, j) => {
        if (at) {
          const one = holds(i, j), wins = one && won(one.p, one.q);
          return one ? {v: down && !wins ? 0 : r[down ? from : "y"][one.p][one.q],
                        s: `${one.p},${one.q}`, k: [wins ? "part" : "lost"]} : {k: ["off"]};
        }
        if (index < 0) return {s: String(i * K + j)};
        const [h, k] = read(g, p, q, i, j), best = r.switches[p][q] === i * K + j;
        const here = inside(g, h, k);
        return {v: down ? (best ? r[from][p][q] : 0) : here ? d.x[h][k] : -Infinity,
                s: String(i * K + j), k: [best && "one"], out: !here};
      }, {like: down ? from : "x"});
    const rows = [down ? [from === "y" ? yPanel : dyPanel, switches, sign("→"), xPanel]
                       : [xPanel, sign("→"), yPanel, switches], [window]];
    if (at) {
      const wins = sees.filter(one => won(one.p, one.q));
      const here = name("x", at[1], at[2]);
      const count = sees.length ? several(sees.length, "window") : "No window";
      if (!down) return {rows, sum: "", words: `${count} ${sees.length > 1 ? "see" : "sees"} ${
        here} = ${text(d.x[at[1]][at[2]])}. ${wins.length ? `It is the maximum of ${
        listed(wins.map(one => `window (${one.p}, ${one.q})`))}. Only ${
        wins.length > 1 ? "their outputs change" : "that window's output changes"} with it.`
        : "It is not the maximum of any: a small change of it changes no output."}`};
      return {rows, sum: sum(name(to, at[1], at[2]), wins.length
        ? wins.map(one => factor(r[from][one.p][one.q])) : ["0"], [], r[to][at[1]][at[2]]),
        words: (wins.length > 1 ? `This pixel is the maximum of ${wins.length} windows that
          overlap. What they send adds up.` : wins.length ? `This pixel is the maximum of one
          window and gets its <i>${from}</i>.` : "This pixel is the maximum of no window. "
          + "Nothing comes to it.") + (wins.length && s.step < g.OH * g.OW
          ? " This is the number when all have sent." : "")};
    }
    if (index < 0) return {rows, sum: "", words: `<i>${to}</i> begins as zeros. Each window will
      send its <i>${from}</i> to the one pixel that its switch names.`};
    const switched = r.switches[p][q], value = text(r.y[p][q]);
    return {rows, sum: "", words: down ? `The switch of window (${p}, ${q}) says ${switched}: its
      <i>${from}</i> of <b>${text(r[from][p][q])}</b> goes to ${name(to, wh, wk)}, and nothing to
      the others.${sofar.won[wh][wk] > 1 ? ` There it adds to what came before: ${
      text(sofar[to][wh][wk])}.` : ""} Each dot stands for one number that has arrived.`
      : `The largest number in window (${p}, ${q}) is <b>${value}</b>, at place ${switched}.${
        tied(d, g, p, q, r.y[p][q]) ? " It is there more than once; the first counts." : ""}
        <i>y</i> keeps the number, the switch keeps the place.`};
  },
};
const tied = (d, g, p, q, best) => full(g.KH, g.KW, (i, j) => read(g, p, q, i, j)).flat()
  .filter(([h, k]) => inside(g, h, k) && d.x[h][k] === best).length > 1;

FIGURES.relu = {
  place: inMap,
  rules: {gradient: ["x"], deconvnet: ["dy"], guided: ["x", "dy"]},  // what must be above zero
  run: d => evaluate.relu(d),
  settings: () => [],
  count: d => d.x.length * d.x[0].length,
  stepName: (d, s) => `place (${Math.floor(s.step / d.x[0].length)}, ${s.step % d.x[0].length})`,
  point: (d, s, id, i, j) => ({step: i * d.x[0].length + j, at: null}),
  scene(d, s, r) {
    const wide = d.x[0].length;
    const [i, j] = [Math.floor(s.step / wide), s.step % wide];
    const grid = (id, symbol, words, values) => panel(id, symbol, words, d.x.length, wide,
      (u, v) => ({v: values[u][v], k: [u === i && v === j && (id in FIGURES.relu.rules || id === "y"
        ? "one" : "part")]}), {beside: d.x.length === 1});
    const [x, dy] = [d.x[i][j], d.dy[i][j]];
    const above = "\u00a0>\u00a00", value = {x, dy}, rules = Object.entries(FIGURES.relu.rules);
    const stops = Object.fromEntries(rules.map(([rule, asked]) =>
      [rule, asked.filter(one => !(value[one] > 0))]));
    const up = [grid("x", "x", "on the way up", d.x), grid("y", "y", "max(x, 0)", r.y)];
    const down = grid("dy", "dy", "arrives on the way down", d.dy);
    const three = rules.map(([rule, asked]) =>
      grid(rule, rule, `dy where ${asked.map(one => one + above).join(" and ")}`, r[rule]));
    const passed = Object.keys(stops).filter(rule => !stops[rule].length);
    const told = passed.length === 3 ? "All three rules let it pass." : !passed.length
      ? "No rule lets it pass." : `Only the ${listed(passed)} let${
        passed.length === 1 ? "s" : ""} it pass.`;
    return {rows: d.x.length === 1 ? [...up, down, ...three].map(one => [one])
      : [[...up, down], three],
      sum: rules.map(([rule, asked]) => `<span class="term rule">${rule}: <b>${
        text(r[rule][i][j])}</b> <small>${stops[rule].length
        ? `stopped: ${stops[rule].map(one => `${one} is not${above}`).join(" and ")}`
        : `passes: ${asked.map(one => one + above).join(" and ")}`}</small></span>`).join(" "),
      words: `Here <i>x</i> = ${text(x)} and <i>dy</i> = ${text(dy)}: the unit was ${
        x > 0 ? "active" : "silent"}, and what arrives is ${
        dy > 0 ? "positive" : dy < 0 ? "negative" : "zero"}. ${told}`};
  },
};
FIGURES.lrn = {
  place: (d, s, id, i, j) => id === "x" || id === "dy" ? [id, j] : [],
  views: [["up", "up: divide"], ["down", "down: the gradient"]],
  run: (d, s) => evaluate.lrn(d, s),
  settings: d => [
    {key: "n", label: "window n", options: numbers([1, 3, 5, 7], d.settings.n)},
    {key: "alpha", label: "alpha", options: numbers([0.0001, 0.1, 1, 2], d.settings.alpha)},
    {key: "beta", label: "beta", options: numbers([0.5, 0.75, 1], d.settings.beta)},
    {key: "k", label: "k", options: numbers([1, 2], d.settings.k)},
    {key: "convention", label: "a is", options: [["caffe", "alpha / n"], ["paper", "alpha"]]},
  ],
  count: d => d.x.length,
  stepName: (d, s) => `channel ${s.step}`,
  point: (d, s, id, i, j) => ({step: j, at: [id, i, j]}),
  scene(d, s, r) {
    const c = s.step, down = s.view === "down", id = s.at ? s.at[0] : down ? "dx" : "scale";
    const near = new Set(r.near(c)), C = d.x.length;
    const reads = {square: {x: "own"}, scale: {square: "near"}, y: {x: "own", scale: "own"},
                   g: {dy: "own", scale: "own"}, part: {g: "own", x: "own", scale: "own"},
                   cross: {x: "own", part: "near"}, dx: {g: "own", cross: "own"}}[id] || {};
    const line = (key, symbol, words, values) => panel(key, symbol, words, 1, C, (_, j) => ({
      v: values[j], k: [key === id ? j === c && "one"
        : reads[key] === "near" ? near.has(j) && "win"
        : reads[key] === "own" && j === c && "part"]}),
      {beside: true});
    const x = line("x", "x", "the input", d.x), scale = line(
      "scale", "s", `k + a · the sum of x² over the window of ${s.n}`, r.scale);
    const up = [x, line("square", "x²", "squares", r.square), scale,
                line("y", "y", "x · s^(−beta)", r.y)];
    const back = [line("dy", "dy", "gradient at y", d.dy), x, scale,
                  line("g", "g", "dy · s^(−beta)", r.g),
                  line("part", "g · x / s", "what each channel tells its neighbours", r.part),
                  line("cross", "cross term",
                       "−2 a beta x · the sum of g x / s over the window", r.cross),
                  line("dx", "dx", "g + cross term", r.dx)];
    const squares = r.near(c).map(o => text(r.square[o])), beta = text(s.beta);
    const parts = r.near(c).map(o => factor(r.part[o]));
    const power = `${text(r.scale[c])}<sup>−${beta}</sup>`;
    const formula = {
      square: () => sum(name("x²", c), [`${factor(d.x[c])}·${factor(d.x[c])}`], [], r.square[c]),
      scale: () => sum(name("s", c), [text(s.k),
                                      `${text(r.a)}·(${squares.join(" + ")})`], [], r.scale[c]),
      y: () => sum(name("y", c), [`${factor(d.x[c])} · ${power}`], [], r.y[c]),
      g: () => sum(name("g", c), [`${factor(d.dy[c])} · ${power}`], [], r.g[c]),
      part: () => sum(`(g x / s)[${c}]`, [`${factor(r.g[c])} · ${factor(d.x[c])} / ${
        text(r.scale[c])}`], [], r.part[c]),
      cross: () => sum(`cross term [${c}]`, [`−2·${text(r.a)}·${beta}·${factor(d.x[c])} · (${
        parts.join(" + ")})`], [], r.cross[c]),
      dx: () => sum(name("dx", c), [factor(r.g[c]), factor(r.cross[c])], [], r.dx[c]),
    }[id] || (() => "");
    const others = r.near(c).length - 1;
    return {rows: (down ? back : up).map(one => [one]), sum: formula(), words: {
      x: `Channel ${c} of the input.`, dy: `What arrives at channel ${c} of the output.`,
      square: "Squares do not know signs: a strong negative number quietens its neighbours, too.",
      scale: `The window of channel ${c} holds it and ${several(others, "neighbour")}${
        others < s.n - 1 ? "; it is cut off at the end" : ""}. The larger their squares, the
        larger <i>s</i>.`,
      y: `Divided by a power of <i>s</i>, channel ${c} keeps ${
        (100 * r.scale[c] ** -s.beta).toFixed(0)} % of its number.`,
      g: `The direct way: channel ${c} is scaled back as it was on the way up.`,
      part: `What channel ${c} tells every channel in whose <i>s</i> it counts.`,
      cross: `Raise <i>x</i>[${c}], and <i>s</i> grows in ${several(others + 1, "channel")}: all of
        them shrink. The cross term collects what they lose.`,
      dx: `The direct way and the cross term. Without the second, the gradient would be wrong by ${
        text(Math.abs(r.cross[c]))}.`}[id]};
  },
};
const numbers = (list, own) => [...new Set([...list, own])].sort((a, b) => a - b)
  .map(v => [v, String(v)]);

FIGURES.gram = {
  place: (d, s, id, i, j) => id === "a" ? ["a", i, j, s.i] : id === "b" ? ["a", i, j, s.j] : [],
  run: d => evaluate.gram(d),
  settings: d => [...chosen("i", "map i", d.a[0][0].length), ...chosen("j", "map j",
                                                                       d.a[0][0].length)],
  count: d => d.a.length * d.a[0].length,
  stepName: (d, s) => `place (${Math.floor(s.step / d.a[0].length)}, ${
    s.step % d.a[0].length})`,
  point(d, s, id, i, j) {
    return id === "g" ? {i, j} : {step: i * d.a[0].length + j, at: null};
  },
  scene(d, s, r) {
    const {i = 0, j = 0} = s, [p, q] = [Math.floor(s.step / r.W), s.step % r.W];
    const map = (id, symbol, words, value) => panel(id, symbol, words, r.H, r.W, (h, k) => ({
      v: value(h, k), k: [h === p && k === q && (id === "m" ? "one" : "win")]}));
    const terms = d.a.flat().map(at => `${factor(at[i])}·${factor(at[j])}`);
    const all = total(d.a.flat().map(at => at[i] * at[j]));
    return {rows: [[map("a", `map ${i}`, "", (h, k) => d.a[h][k][i]), sign("×"),
      map("b", `map ${j}`, "", (h, k) => d.a[h][k][j]), sign("="),
      map("m", "products", "place by place", (h, k) => d.a[h][k][i] * d.a[h][k][j])],
      [panel("g", "G", "the Gram matrix: a mean for each pair", r.C, r.C, (u, v) => ({
        v: r.g[u][v], k: [u === i && v === j && "one",
                          u === j && v === i && i !== j && "part"]}))]],
      sum: `${sum(name("G", i, j), terms.map((t, k) => k ? t : `(${t}`), [], undefined, s.step)})
        <span class="term">/ ${r.H * r.W} = ${text(all)} / ${r.H * r.W} = <b>${
        text(r.g[i][j])}</b></span>`,
      words: i === j ? `Map ${i} with itself: how strong it is, wherever that is.`
        : `How strongly maps ${i} and ${j} are active together. Where they are so is forgotten: put
           the places in another order, and <i>G</i> stays the same.`};
  },
};

FIGURES.deconvnet = {
  keys: "Step with the buttons, or with the arrow keys on the slider.",
  run: () => ({}),
  settings: () => [],
  count: d => d.stages.length,
  stepName: (d, s) => `${d.stages[s.step].layer}`,
  point: () => null,
  scene(d, s) {
    const one = d.stages[s.step];
    return {rows: [[{id: "photo", symbol: "photo", words: d.photo.words, picture: d.photo.src,
                     alt: d.photo.words},
                    {id: "whole", symbol: plain(one.title),
                     words: `${plain(one.layer)}, ${one.shape}`,
                     picture: one.whole, alt: `${one.layer}: ${one.operation}`}],
                   one.planes.map((plane, k) => ({id: `plane${k}`, symbol: "", small: true,
                     words: plane.label, picture: plane.src, alt: plane.label}))],
            sum: "", words: one.words};
  },
};

// ---- the page

const SAID = {one: "chosen", win: "in the window", part: "takes part", wait: "not sent yet",
              lost: "sees it, has a larger number", off: "not used"};

const element = (tag, attributes = {}, ...inside) => {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes))
    if (key in made && typeof value === "function") made[key] = value;
    else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? ""
                                                                                         : value);
  made.append(...inside);
  return made;
};

/* The state of a page as it was made. */
function beginning(data, figure) {
  const view = figure.views ? figure.views[0][0] : "";
  return {view, step: 0, at: null, t: 0, set: "", ...data.settings, ...data.opened};
}

/* The state that an address's "#..." names; what it does not name is as at the start. */
function fromAddress(hash, data, figure) {
  const given = new URLSearchParams(hash.replace(/^#/, "")), s = beginning(data, figure);
  for (const {key, options} of figure.settings(data)) {
    const found = options.find(([value]) => String(value) === given.get(key));
    if (found) s[key] = found[0];
  }
  for (const {fits} of figure.settings(data)) if (fits && !fits(s)) return beginning(
    data, figure);
  if ((figure.views || []).some(([view]) => view === given.get("view"))) s.view = given.get("view");
  const whole = (value, least, most) => /^\d+$/.test(value || "")
    && Number(value) >= least && Number(value) <= most;
  if (whole(given.get("step"), 0, figure.count(data, s) - 1)) s.step = Number(given.get("step"));
  if (figure.products && whole(given.get("t"), 1, figure.products(data, s)))
    s.t = Number(given.get("t"));
  s.set = asText(changes(data, given.get("set")));
  const at = (given.get("at") || "").match(/^(\w+)\.(-?\d+)\.(-?\d+)$/);
  if (at && isThere(figure.scene(data, s, figure.run(data, s)), at[1], +at[2], +at[3]))
    s.at = [at[1], +at[2], +at[3]];
  return s;
}

/* Whether a scene has a panel with this cell. */
function isThere(scene, id, i, j) {
  const found = scene.rows.flat().find(one => one.id === id && one.cells);
  const [top, left] = (found && found.first) || [0, 0];
  return Boolean(found && (found.cells[i - top] || [])[j - left]);
}

function toAddress(s, start) {
  const named = {...s, at: s.at ? s.at.join(".") : ""}, first = {...start, at: ""};
  const parts = Object.entries(named).filter(([key, value]) => value !== first[key]
    || (key === "step")).map(([key, value]) => `${key}=${value}`);
  return `#${parts.join("&")}`;
}

function start(root, data) {
  const figure = FIGURES[data.kind];
  const first = beginning(data, figure);
  let state = fromAddress(location.hash, data, figure), peek = null, playing = null;
  let built = "", editing = false, entered = 0;  // the step when the keyboard came to a table
  const panels = new Map();

  // -- the controls, made once
  const stage = element("div", {class: "stage"}), sumLine = element("p", {class: "sum"});
  const words = element("p", {class: "words", role: "status"});
  const slider = element("input", {type: "range", min: 0, step: 1, "aria-label": "step",
                                   oninput: () => go({step: Number(slider.value), at: null,
                                                      t: 0})});
  const where = element("output", {class: "where"});
  const button = (label, say, act) => element("button", {type: "button", "aria-label": say,
                                                         onclick: act}, label);
  const back = button("‹ Back", "one step back", () => stepped(-1));
  const next = button("Step ›", "one step on", () => stepped(1));
  const play = button("Play", "play all steps", () => playing ? stop() : playAll());
  const product = button("One product ›", "add one product at a time", () => go({
    at: null, t: (state.t + 1) % (figure.products(data, state) + 1)}));
  const framed = location.protocol === "about:";  // in a notebook, whose address is not ours
  const named = "Address of this view", link = element("a", {
    class: "link", "aria-live": "polite", title: "copies it", onclick: async event => {
      event.preventDefault();
      link.textContent = await navigator.clipboard.writeText(link.href).then(
        () => "Copied", () => "It stands in the address bar");
      setTimeout(() => { link.textContent = named; }, 3000);
    }}, named);
  const again = element("a", {class: "link", href: "#", onclick: event => {
    event.preventDefault(); stop(); state = {...first}; choices(); go({});
  }}, "As at first");
  const views = element("div", {class: "views", role: "radiogroup", "aria-label": "which way"});
  const settings = element("div", {class: "settings"});
  const refused = element("p", {class: "keys"}, "Choices in grey leave no window, or have more "
                          + "numbers than fit on this page.");
  const bar = element("div", {class: "bar", role: "group", "aria-label": "steps"}, back, slider,
                      next, play, ...figure.products ? [product] : [], where);
  root.replaceChildren(...figure.views ? [views] : [], bar, element("div", {class: "shown"}, stage,
    element("div", {class: "told"}, element("div", {class: "said"}, words, sumLine), settings,
            refused, element("p", {class: "links"}, again, ...framed ? [] : [link]),
            element("p", {class: "keys"}, figure.keys || "Point or tap. With the keyboard: Tab, "
                    + "arrow keys, Home and End; Escape lets go. To change a number that was "
                    + "given, type another, or click it twice."))));

  function choices() {  // the views and settings, as they are now
    views.replaceChildren(...(figure.views || []).map(([value, label]) => element("label", {},
      element("input", {type: "radio", name: "view", value, checked: state.view === value,
        onchange: () => go({view: value, at: null, step: 0})}),
      element("span", {}, label))));
    settings.replaceChildren(...figure.settings(data).map(({key, label, options, fits}) => {
      const list = element("select", {name: key, onchange: () => {
        const value = options[list.selectedIndex][0];
        go({[key]: value, at: null, t: 0,
            step: Math.min(state.step, figure.count(data, {...state, [key]: value}) - 1)});
        const held = document.activeElement && document.activeElement.name;
        choices();
        if (held) settings.querySelector(`[name=${held}]`)?.focus();
      }}, ...options.map(([value, shown]) => element("option", {value,
        selected: state[key] === value,
        disabled: Boolean(fits) && !fits({...state, [key]: value})}, shown)));
      return element("label", {}, `${label} `, list);
    }));
    refused.hidden = !settings.querySelector("option:disabled");
  }

  // -- what happens
  function go(change) {
    state = {...state, ...change};
    peek = null;
    const address = toAddress(state, first);
    link.href = address;
    if (!framed) history.replaceState(null, "", address);
    draw();
  }
  function stepped(by) {
    const count = figure.count(data, state);
    go({step: Math.max(0, Math.min(count - 1, state.step + by)), at: null, t: 0});
  }
  function stop() {
    clearInterval(playing);
    playing = null;
    play.textContent = "Play";
  }
  function playAll() {
    if (state.step >= figure.count(data, state) - 1) go({step: 0, at: null, t: 0});
    play.textContent = "Stop";
    playing = setInterval(() => {
      stepped(1);
      if (state.step >= figure.count(data, state) - 1) stop();
    }, 900);
  }

  // -- drawing
  function results(d, s) {
    const r = figure.run(d, s);
    const asMade = Object.entries(data.settings).every(([key, value]) => s[key] === value)
      && !s.set;
    return asMade ? Object.assign(r, data.library) : r;  // the library's own numbers
  }

  function draw() {
    const s = peek ? {...state, ...peek, t: 0} : state, d = edited(data, s.set);
    const scene = figure.scene(d, s, results(d, s));
    const plan = scene.rows.map(row => row.map(one => one.sign || `${one.id}:${one.picture ? ""
      : `${one.cells.length}x${one.cells[0].length}:${one.first || ""}`}`).join()).join(";");
    if (plan !== built) build(scene, plan);
    for (const one of scene.rows.flat()) if (!one.sign) fill(one, scene);
    for (const row of stage.children) {  // captions of one height, so that the tables stand level
      row.style.setProperty("--told", "0px");
      row.style.setProperty("--told", `${Math.max(...[...row.querySelectorAll("figcaption")].map(
        caption => caption.offsetHeight))}px`);
    }
    sumLine.innerHTML = scene.sum;
    words.innerHTML = scene.words;
    const count = figure.count(data, s);
    slider.max = count - 1;
    slider.value = s.step;
    const name = figure.stepName(data, s);
    slider.setAttribute("aria-valuetext", `${name}, step ${s.step + 1} of ${count}`);
    where.textContent = `${name} · ${s.step + 1} of ${count}`;
    back.disabled = s.step === 0;
    next.disabled = s.step === count - 1;
  }

  function build(scene, plan) {
    built = plan;
    panels.clear();
    stage.replaceChildren(...scene.rows.map(row => {
      const tables = row.filter(one => one.cells), signs = row.filter(one => one.sign);
      const all = total(tables.map(one => one.cells[0].length));
      const narrow = tables.filter(one => one.cells[0].length < 2).length;
      return element("div", {class: row[0].beside ? "row lines" : "row", style: `--all: ${
        all || 1}; --tables: ${tables.length + 2.5 * narrow}; --gaps: ${row.length - 1
        + 2 * signs.length}`},
        ...row.map(one => one.sign
          ? element("span", {class: "sign", "aria-hidden": "true"}, one.sign)
          : one.picture ? pictured(one) : table(one)));
    }));
  }

  function pictured(one) {
    const caption = element("figcaption"), shown = element("img");
    panels.set(one.id, {caption, shown});
    return element("figure", {class: one.small ? "panel thumb" : "panel photo"}, caption, shown);
  }

  function table(one) {
    const [h, w] = [one.cells.length, one.cells[0].length], [top, left] = one.first || [0, 0];
    const caption = element("figcaption");
    const heads = element("tr", {"aria-hidden": "true"}, element("th"), ...range(w).map(j =>
      element("th", {}, w > 1 ? text(left + j) : "")));
    const cells = full(h, w, (i, j) => element("td", {role: "gridcell", tabindex: -1}));
    const grid = element("table", {role: "grid"}, element("tbody", {
      role: "presentation"}, heads, ...cells.map((row, i) => element("tr", {role: "row"},
      element("th", {"aria-hidden": "true"}, h > 1 ? text(top + i) : ""), ...row))));
    const panelled = {caption, cells, grid, top, left, id: one.id, rover: null};
    panels.set(one.id, panelled);
    const where = cell => {
      for (const i of range(h)) { const j = cells[i].indexOf(cell); if (j >= 0) return [i, j]; }
      return null;
    };
    const point = cell => {
      const found = cell && where(cell);
      return found && figure.point(data, state, one.id, found[0] + top, found[1] + left);
    };
    grid.onpointerover = event => {
      const change = event.pointerType === "mouse" && !playing && !editing
        && point(event.target.closest("td"));
      if (change) { peek = change; draw(); }
    };
    grid.onpointerleave = () => { if (peek) { peek = null; draw(); } };
    grid.onclick = event => {  // a tap
      if (!editing) event.target.closest("td")?.focus({preventScroll: true});
    };
    grid.addEventListener("focusin", event => {
      if (editing) return;
      if (!grid.contains(event.relatedTarget)) entered = state.step;
      rove(panelled, event.target);
      const change = point(event.target);
      stop();
      if (change) go({...change, t: 0});
    });
    /* A field over a cell for another number, which begins with what was typed. */
    const edit = (cell, typed) => {
      const found = where(cell), place = found && figure.place
        ? figure.place(data, state, one.id, found[0] + top, found[1] + left) : [];
      if (editing || typeof held(data, place) !== "number") return;
      const field = element("input", {class: "field", inputmode: "decimal", "aria-label":
                                      `another number for ${cell.getAttribute("aria-label")}`});
      const end = keep => {
        if (!editing) return;
        editing = false;
        const given = field.value.trim().replace(",", ".").replace("−", "-");
        field.remove();
        const named = withChange(data, state.set, place, Number(given));
        if (keep && given && changes(data, asText([[place, Number(given)]])).length)
          go({set: named});
        cell.focus();
      };
      stop();
      editing = true;
      field.value = typed === undefined ? cell.dataset.v : typed;
      field.onkeydown = event => {
        event.stopPropagation();
        if (event.key === "Enter" || event.key === "Escape") end(event.key === "Enter");
      };
      field.onblur = () => end(true);
      cell.append(field);
      field.focus();
      if (typed === undefined) field.select();
    };
    grid.ondblclick = event => { const td = event.target.closest("td"); if (td) edit(td); };
    grid.onkeydown = event => {
      const [i, j] = where(event.target) || [0, 0];
      const to = {ArrowUp: [i - 1, j], ArrowDown: [i + 1, j], ArrowLeft: [i, j - 1],
                  ArrowRight: [i, j + 1], Home: event.ctrlKey ? [0, 0] : [i, 0],
                  End: event.ctrlKey ? [h - 1, w - 1] : [i, w - 1]}[event.key];
      if (event.key === "Escape") go({at: null, t: 0, step: entered});
      else if (event.key === "Enter" || /^[-\d.]$/.test(event.key)) {
        event.preventDefault();
        edit(event.target, event.key === "Enter" ? undefined : event.key);
      }
      else if (to) {
        event.preventDefault();
        const cell = (cells[to[0]] || [])[to[1]];
        if (cell) cell.focus();
      }
    };
    return element("figure", {class: `panel${one.beside ? " beside" : ""}`, "data-panel": one.id,
                              style: `--columns: ${w}`}, caption, grid);
  }

  function rove(panelled, cell) {
    if (panelled.rover) panelled.rover.tabIndex = -1;
    panelled.rover = cell;
    cell.tabIndex = 0;
  }

  /* Blue above zero and orange below, by size; blue by how many numbers were added up there. */
  function colour(cell, marks, most, deepest) {
    if (marks.includes("one") || marks.includes("wait") || cell.plain) return "";
    if (cell.depth !== undefined) return cell.depth
      ? `rgba(0, 114, 178, ${(0.12 + 0.5 * (cell.depth - 1) / (deepest - 1)).toFixed(3)})` : "";
    if (!Number.isFinite(cell.v) || !cell.v || cell.out) return "";
    return `rgba(${cell.v > 0 ? "0, 114, 178" : "213, 94, 0"}, ${
      (0.06 + 0.3 * Math.abs(cell.v) / most).toFixed(3)})`;
  }

  /* Where Tab comes to a table: the cell of this step, if each of its cells is one; else where it
     was last. */
  function home({cells, top, left, id}) {
    return cells.flatMap((row, i) => row.filter((td, j) => {
      const to = Object.entries(figure.point(data, state, id, i + top, j + left) || {})
        .filter(([key]) => key !== "at");
      return to.length && to.every(([key, value]) => state[key] === value);
    }))[0];
  }

  function fill(one, scene) {
    const {caption, cells, grid, shown, top, left} = panels.get(one.id), made = panels.get(one.id);
    const symbol = /</.test(one.symbol) ? one.symbol : `<i>${one.symbol}</i>`;
    const label = `<b>${symbol}</b> <span>${one.words}</span>`;
    if (made.label !== label) caption.innerHTML = made.label = label;
    if (shown) {
      if (shown.src !== one.picture) shown.src = one.picture;
      shown.alt = one.alt;
      return;
    }
    grid.setAttribute("aria-label", caption.textContent.trim());
    const like = scene.rows.flat().find(other => other.id === (one.like || one.id)) || one;
    const values = like.cells.flat().filter(cell => !cell.plain && Number.isFinite(cell.v));
    const most = Math.max(1e-300, ...values.map(cell => Math.abs(cell.v)));
    grid.parentElement.style.setProperty("--chars", Math.max(3, ...one.cells.flat().map(
      cell => Math.max(text(cell.v).length, (cell.s || "").length - 1))));
    const dotted = one.cells.flat().some(cell => cell.depth !== undefined && cell.dots !== false);
    const reserved = dotted || one.cells.flat().some(cell => cell.s);  // room below each number
    const deepest = Math.max(4, ...one.cells.flat().map(cell => cell.depth || 0));
    const marked = (i, j, mark) => {
      const cell = (one.cells[i] || [])[j];
      return Boolean(cell && (cell.k || []).includes(mark));
    };
    one.cells.forEach((row, i) => row.forEach((cell, j) => {
      const td = cells[i][j], marks = (cell.k || []).filter(Boolean);
      const shade = colour(cell, marks, most, deepest);
      const edges = marks.includes("win") ? [[-1, 0, "0 3px"], [1, 0, "0 -3px"], [0, -1, "3px 0"],
        [0, 1, "-3px 0"]].filter(([u, v]) => !marked(i + u, j + v, "win"))
        .map(([, , side]) => `inset ${side} 0 #111`).join(", ") : "";
      const shownText = text(cell.v), dots = cell.depth > 5 ? `${cell.depth} •`
        : "•".repeat(cell.depth || 0), below = cell.s || (dotted && dots) || (reserved ? "\u00a0"
        : "");
      const key = [shownText, below, cell.v, shade, edges, marks, cell.out].join("|");
      if (td.dataset.key === key) return;
      td.dataset.key = key;
      td.dataset.v = cell.v === undefined ? "" : String(cell.v);
      td.className = [...marks, cell.out ? "out" : ""].filter(Boolean).join(" ");
      td.style.backgroundColor = shade;
      td.style.setProperty("--edges", edges || "0 0 #0000");
      td.replaceChildren(shownText, ...below ? [element("small", {
        class: dotted && "dots"}, below)] : []);
      const told = [`row ${text(i + top)}, column ${text(j + left)}: ${shownText || "empty"} ${
        cell.s || ""}`.trim(), cell.depth ? `${several(cell.depth, "number")} added up` : "",
        cell.out ? "padding" : "", ...marks.map(mark => SAID[mark])];
      td.setAttribute("aria-label", told.filter(Boolean).join(", "));
      if (marks.includes("one")) td.setAttribute("aria-selected", "true");
      else td.removeAttribute("aria-selected");
    }));
    const inUse = grid.contains(document.activeElement);
    const cell = !peek && !inUse && home(made);
    if (cell) rove(made, cell);
    else if (!made.rover) rove(made, cells.flat().find(td => !td.classList.contains("out"))
                               || cells[0][0]);
  }

  window.addEventListener("hashchange", () => {
    state = fromAddress(location.hash, data, figure);
    choices();
    draw();
  });
  document.addEventListener("keydown", event => { if (event.key === "Escape") stop(); });
  choices();
  draw();
  link.href = toAddress(state, first);
}

if (typeof module !== "undefined")
  module.exports = {evaluate, FIGURES, text, fromAddress, beginning, edited};
else start(document.getElementById("figure"),
           JSON.parse(document.getElementById("data").textContent));
})();
