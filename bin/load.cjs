'use strict'
// Runs the program from its parts, for the npm package and for the executable.
const {Script} = require('node:vm')

/** Words that need the small part alone: help and version. */
const WORDS = ['-v', '--version', '-h', '--help', 'help']

/**
 * Runs the part that the command line needs. `assetOf` returns the bytes of a file of the program by its name, `libraries` maps
 * a module to the file that has it. `codeOf` returns the code that V8 compiled of a part before, or undefined; `keepCode` gets the
 * part's script.
 */
exports.load = ({assetOf, libraries, ownUrl, codeOf, keepCode}) => {
  globalThis.pillionAsset = assetOf
  const found = new Map()
  const find = name => {
    if (name === 'node:crypto') return crypto
    if (!Object.hasOwn(libraries, name)) return require(name)
    const file = libraries[name]
    if (!found.has(file)) {
      const text = require('node:zlib').brotliDecompressSync(assetOf(file)).latin1Slice()
      const library = {exports: {}}
      new Script(text, {filename: file}).runInThisContext()(require, library, library.exports, ownUrl)
      found.set(file, library.exports)
    }
    return found.get(file)[name]
  }
  const part = process.argv.length === 3 && WORDS.includes(process.argv[2]) ? 'words' : 'pillion'
  const script = new Script(assetOf(`${part}.cjs`).latin1Slice(), {filename: 'pillion', cachedData: codeOf(part)})
  keepCode(script, part)
  script.runInThisContext()(find, module, exports, ownUrl)
}

/** node:crypto, which takes 12 ms of a start, loaded at the first use of a value. */
const crypto = new Proxy({}, {get: (_, name) => require('node:crypto')[name]})
