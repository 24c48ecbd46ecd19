// Bundles the program as parts. The npm package and the executable hold the same parts, and load them in the same way.
import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {brotliCompressSync, constants} from 'node:zlib'
import {build} from 'esbuild'
import {throughIndex} from './through-index.js'

/** Leaves commands out of a part of the program. */
const without = isOutside => ({
  name: 'commands stay outside',
  setup: ({onResolve}) =>
    onResolve({filter: /^\./}, ({kind, importer}) =>
      kind === 'dynamic-import' && isOutside(importer) ? {external: true} : null
    )
})
const isCommand = importer => /\/(commands|entries\/[a-z]+)\.ts$/.test(importer)

/** Help and version need a tenth of the program. Reading the rest takes half of their time. */
const WHOLE = {name: 'pillion', args: ['run', '-f', '.'], plugins: []}
const WORDS = {name: 'words', args: ['--help'], plugins: [without(isCommand)]}
export const PARTS = [WHOLE, WORDS]

/** Half of the program. Few runs need any of these, so each one is decompressed at its first use. */
export const LIBRARIES = [
  ['@fastify/busboy'],
  ['@marcbachmann/cel-js'],
  ['@modelcontextprotocol/server', '@modelcontextprotocol/server/stdio'],
  [
    '@opentelemetry/api',
    '@opentelemetry/core',
    '@opentelemetry/exporter-trace-otlp-proto',
    '@opentelemetry/exporter-zipkin',
    '@opentelemetry/otlp-transformer',
    '@opentelemetry/resources',
    '@opentelemetry/sdk-trace'
  ],
  ['@peculiar/asn1-schema', '@peculiar/asn1-x509'],
  ['@platformatic/kafka'],
  ['@redis/client'],
  ['amqplib'],
  ['execa'],
  ['jose'],
  ['pg'],
  ['re2js'],
  ['tar']
].map((modules, index) => ({name: `library-${index}`, modules}))

/** The file that has each module of a library. */
export const FILES = Object.fromEntries(
  LIBRARIES.flatMap(({name, modules}) => modules.map(each => [each, `${name}.cjs`]))
)

// We write all help ourselves: commander only has to list commands for a mistaken one.
const commandsWithoutHelp = {
  name: 'commands-without-help',
  setup(to) {
    to.onResolve({filter: /^\.\/help\.js$/}, ({path, importer}) =>
      /commander\/(lib\/command|index)\.js$/.test(importer) ? {path, namespace: 'no-help'} : undefined
    )
    to.onLoad({filter: /.*/, namespace: 'no-help'}, () => ({
      contents: `export class Help {
        visibleCommands = ({commands}) => commands
        visibleOptions = () => []
      }`
    }))
  }
}

/** Writes the parts and libraries to `folder` as texts of CommonJS functions. `quality` is that of brotli, 0 to 11. */
export async function bundleParts(folder, {target, quality}) {
  const at = name => join(folder, `${name}.cjs`)
  const {imports} = JSON.parse(readFileSync('package.json', 'utf8'))
  await Promise.all(
    [...PARTS, ...LIBRARIES].map(async ({name, modules, plugins = []}) => {
      const contents = modules?.map(each => `exports['${each}'] = require('${each}')`).join('\n')
      await build({
        ...(modules === undefined
          ? {entryPoints: ['src/clients/cli/main.ts'], external: Object.keys(FILES)}
          : {stdin: {contents, resolveDir: '.'}}),
        outfile: at(name),
        bundle: true,
        plugins: [...plugins, commandsWithoutHelp, throughIndex(imports)],
        format: 'cjs',
        platform: 'node',
        target,
        // `require`: there is no other file to import
        supported: {'dynamic-import': false},
        // Names stay, and lines of 160 characters, for stack traces.
        minifyWhitespace: true,
        minifySyntax: true,
        lineLimit: 160,
        legalComments: 'none',
        logLevel: 'warning',
        alias: {
          yaml: './node_modules/yaml/browser/index.js',
          // its WebAssembly as a text, so that no other file is needed
          '@platformatic/wasm-utils': './node_modules/@platformatic/wasm-utils/dist/bundled.js'
        },
        define: {'import.meta.url': 'ownUrl', 'import.meta.dirname': 'undefined'},
        banner: {js: '(function (require, module, exports, ownUrl) {'},
        footer: {js: '})'}
      })
      // Node reads Latin-1 without decoding; esbuild leaves other letters as they are in regular expressions.
      const text = readFileSync(at(name), 'utf8').replaceAll(/[^\0-\x7f]/g, escaped)
      const isPacked = modules !== undefined
      const options = {params: {[constants.BROTLI_PARAM_QUALITY]: quality}}
      writeFileSync(at(name), isPacked ? brotliCompressSync(text, options) : text)
    })
  )
}

/** A unit of UTF-16 as an escape of JavaScript. */
const escaped = unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
