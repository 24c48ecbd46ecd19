// Writes dist/page: the files of the page, each compressed, and files.json, the table of the paths at which they are served.
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {basename, join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {build} from 'esbuild'

const FOLDER = 'dist/page'
/** Bytes, compressed, until the first view stands, and of all files. Load a view when it is opened, rather than raise them. */
const MAX_FIRST = 40_000
const MAX_ALL = 98 * 1024

const TYPES = {html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8'}

export async function buildPage() {
  const {outputFiles, metafile} = await build({
    entryPoints: {page: 'page/main.tsx'},
    outdir: FOLDER,
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfigRaw: '{}',
    chunkNames: '[name]-[hash]'
  })
  const css = await build({
    entryPoints: ['page/style/page.css'],
    outdir: FOLDER,
    write: false,
    bundle: true,
    minify: true
  })
  const first = firstScripts(metafile.outputs)
  const preload = first.filter(name => name !== 'page.js').map(name => `<link rel="modulepreload" href="/${name}" />`)
  const html = readFileSync('page/index.html', 'utf8')
    .replace('<!-- preload -->', preload.join(''))
    .replaceAll(/\s*\n\s*/g, '\n')
  const files = [
    {name: 'index.html', contents: Buffer.from(html)},
    ...[...outputFiles, ...css.outputFiles].map(({path, contents}) => ({name: basename(path), contents}))
  ].map(({name, contents}) => ({name, gzip: gzipSync(contents, {level: 9})}))
  check(files, ['index.html', 'page.css', ...first])

  mkdirSync(FOLDER, {recursive: true})
  for (const {name, gzip} of files) writeFileSync(join(FOLDER, `${name}.gz`), gzip)
  const table = files.map(({name}) => [
    name === 'index.html' ? '/' : `/${name}`,
    {file: `${name}.gz`, type: TYPES[name.split('.').at(-1)]}
  ])
  writeFileSync(join(FOLDER, 'files.json'), JSON.stringify(Object.fromEntries(table)))
}

/** The script that the page begins with, and all that it imports at once. */
function firstScripts(outputs) {
  const seen = new Set()
  const visit = path => {
    if (seen.has(path)) return
    seen.add(path)
    for (const {path: next, kind} of outputs[path].imports) if (kind === 'import-statement') visit(next)
  }
  visit(`${FOLDER}/page.js`)
  return [...seen].map(path => basename(path))
}

function check(files, first) {
  const sum = all => all.reduce((bytes, {gzip}) => bytes + gzip.length, 0)
  const sizes = [
    ['the first view', sum(files.filter(({name}) => first.includes(name))), MAX_FIRST],
    ['all files', sum(files), MAX_ALL]
  ]
  for (const [what, bytes, max] of sizes)
    if (bytes > max) throw new Error(`the page: ${what} have ${bytes} bytes of gzip, more than ${max}`)
  if (process.env.PAGE_SIZES !== undefined) {
    for (const {name, gzip} of files) console.log(`${gzip.length.toString().padStart(7)}  ${name}`)
    for (const [what, bytes, max] of sizes) console.log(`${bytes.toString().padStart(7)}  ${what} (at most ${max})`)
  }
}
