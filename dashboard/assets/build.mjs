// Bundles and minifies src/ into dashboard/static/ under names with a hash, and writes manifest.json: {"app.css": "app-1A2B3C4D.css"}.
// Refuses to build more JavaScript than the budget (gzip, everything together), so that no page can get slow unnoticed.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const BUDGET_BYTES = 60_000; // issue 5: "under 60 kB gzip of JavaScript"
const here = path.dirname(fileURLToPath(import.meta.url));
const output = path.resolve(here, "../static");
const draft = `${output}.new`;

await rm(draft, { recursive: true, force: true });
await mkdir(draft, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["src/app.js", "src/app.css"],
  outdir: draft,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  splitting: true, // the dense charts are fetched only by pages that have one
  format: "esm",
  target: ["chrome123", "firefox120", "safari17.5"], // the first with light-dark(); others get a plain page
  legalComments: "none", // their licences are in LICENCES.txt beside the bundle
  loader: { ".svg": "file" },
  metafile: true,
  logLevel: "warning",
});

const manifest = {};
for (const [file, made] of Object.entries(metafile.outputs)) {
  if (made.entryPoint) manifest[path.basename(made.entryPoint)] = path.basename(file);
}
const icon = await readFile(path.join(here, "src/icon.svg"));
manifest["icon.svg"] = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8).toUpperCase()}.svg`;
await writeFile(path.join(draft, manifest["icon.svg"]), icon);

const licences = [];
for (const name of Object.keys(JSON.parse(await readFile(path.join(here, "package.json"), "utf8")).dependencies)) {
  const about = JSON.parse(await readFile(path.join(here, "node_modules", name, "package.json"), "utf8"));
  const text = await readFile(path.join(here, "node_modules", name, "LICENSE"), "utf8");
  licences.push(`${name} ${about.version} (${about.license})\n\n${text.trim()}\n`);
}
await writeFile(path.join(draft, "LICENCES.txt"), licences.join(`\n${"-".repeat(72)}\n\n`));

let total = 0;
for (const file of (await readdir(draft)).sort()) {
  const bytes = await readFile(path.join(draft, file));
  const zipped = gzipSync(bytes, { level: 9 }).length;
  if (file.endsWith(".js")) total += zipped;
  if (/\.(js|css)$/.test(file)) console.log(`${file.padEnd(32)} ${String(bytes.length).padStart(8)} B  ${String(zipped).padStart(6)} B gzip`);
}
console.log(`JavaScript in all: ${total} of ${BUDGET_BYTES} B gzip`);
if (total > BUDGET_BYTES) {
  console.error(`That is more JavaScript than the dashboard may have (${BUDGET_BYTES} B gzip).`);
  process.exit(1);
}

// The manifest last, and the folder by a rename: a server that looks meanwhile sees the old build or the new one.
await writeFile(path.join(draft, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
await rm(output, { recursive: true, force: true });
await rename(draft, output);
