// Joins files of a split bundle. esbuild makes one for each set of entry points that share code, and each costs Node about
// half a millisecond: a run loaded fifty of them.
import crypto, {createHash} from 'node:crypto'
import {readFileSync} from 'node:fs'
import {dirname, join, relative} from 'node:path'
import {build} from 'esbuild'

/** A file that is larger stays alone, so that no command loads it in vain. */
const MAX_COMMON = 64 * 1024

/** A command that needs less than this at once, as `list` does, does not load what large ones share. */
const MAX_QUICK = 128 * 1024

/** What no run loads, though it could: the words of commands, and what goes to a cluster. */
const OF_COMMANDS = /^src\/(clients|packages\/kubernetes)\/|^node_modules\/(debug|supports-color|ms)\//

/**
 * Writes the outputs of a split build to the same paths in `outdir`, joined. `outputs` are those of esbuild's metafile, below
 * `from`; `main` is the one that is started.
 */
export async function joinFiles({outputs, from, main, outdir}) {
  const files = Object.fromEntries(Object.entries(outputs).filter(([path]) => path.endsWith('.js')))
  const homes = arrange(files, main)
  const texts = renamed(files)
  const homesOf = [...new Set(homes.values())]
  const membersOf = home => Object.keys(files).filter(path => homes.get(path) === home)
  await Promise.all(
    homesOf.map(async home =>
      build({
        stdin: {contents: stubOf(membersOf(home), files), resolveDir: process.cwd(), sourcefile: 'join'},
        outfile: join(outdir, relative(from, home)),
        bundle: true,
        format: 'esm',
        platform: 'node',
        target: 'node22',
        sourcemap: true,
        sourcesContent: false,
        // no comments, no indentation, short forms: a third less for Node to read at each start. Names stay, and lines, for stack traces
        minifyWhitespace: true,
        minifySyntax: true,
        lineLimit: 160,
        logLevel: 'warning',
        plugins: [inHome(home, {homes, texts})]
      })
    )
  )
}

/** What is reached from an output by its imports; with `lazy` also by those that are made later. */
function reached(files, start, lazy) {
  const seen = new Set()
  const visit = path => {
    if (seen.has(path) || files[path] === undefined) return
    seen.add(path)
    for (const {path: next, kind} of files[path].imports) if (lazy || kind === 'import-statement') visit(next)
  }
  visit(start)
  return seen
}

/**
 * The file that each output goes into: what `main` needs goes into its own, and what one command alone needs into that
 * command's. What several need at once is in four files if it is small: that of runs alone, that of runs and others, and two of
 * others: what a run loads later, too, with a first call of gRPC for instance, is apart from what is only for commands. Of the last
 * three there are two each: what quick commands need is apart. What is loaded later stays as it is.
 */
function arrange(files, main) {
  const commands = Object.keys(files).filter(
    path => path !== main && files[path].entryPoint?.startsWith('src/clients/cli/')
  )
  const first = reached(files, main, false)
  const atOnce = new Map(commands.map(path => [path, reached(files, path, false)]))
  const atAll = new Map(commands.map(path => [path, reached(files, path, true)]))
  const runs = commands.filter(path =>
    /^src\/clients\/cli\/commands\/run(-template)?\.ts$/.test(files[path].entryPoint)
  )
  const sizeOf = paths => [...paths].reduce((sum, path) => sum + (first.has(path) ? 0 : files[path].bytes), 0)
  const quick = commands.filter(path => !runs.includes(path) && sizeOf(atOnce.get(path)) < MAX_QUICK)
  const nameOf = kind => join(dirname(commands[0]), `${kind}-${hashOf(main, files)}.js`)
  // who asks for help alone reads nothing of the commands
  const help = commands.find(path => files[path].entryPoint === 'src/clients/cli/help.ts')
  const ofHelp = reached(files, help, false)
  const isOfCommands = path => Object.keys(files[path].inputs).some(input => OF_COMMANDS.test(input))
  const isLoadedLater = path => !isOfCommands(path) && runs.some(run => atAll.get(run).has(path))
  const homeOf = path => {
    if (first.has(path)) return main
    if (ofHelp.has(path)) return help
    if (files[path].entryPoint !== undefined) return path
    const users = commands.filter(command => atAll.get(command).has(path))
    const early = commands.filter(command => atOnce.get(command).has(path))
    if (early.length === 1 && users.length === 1) return early[0]
    if (early.length === 0 || files[path].bytes > MAX_COMMON) return path
    if (early.every(each => runs.includes(each))) return nameOf('runs')
    const isQuick = early.filter(each => quick.includes(each)).length > 1
    const namedFor = kind => nameOf(isQuick ? `quick-${kind}` : kind)
    if (runs.some(run => early.includes(run))) return namedFor('common')
    if (early.length === 1) return path
    return namedFor(isLoadedLater(path) ? 'later' : 'commands')
  }
  return new Map(Object.keys(files).map(path => [path, homeOf(path)]))
}

/** Changes with any file. */
const hashOf = (main, files) =>
  createHash('sha256')
    .update(main + Object.keys(files))
    .digest('hex')
    .slice(0, 8)
    .toUpperCase()

const IMPORT = /^import \{([^}]*)\} from "(\.[^"]+)";$/gm
const BUILTIN = /^import (?:(\w+)|\* as (\w+)|\{([^}]*)\}) from "(node:[^"]+)";$/gm
const EXPORT = /^export \{([^}]*)\};$/m

/** `a as b`, in the words of an import or export. */
const pairsIn = list =>
  list
    .split(',')
    .map(item => item.trim().split(' as '))
    .filter(([name]) => name !== '')
    .map(([name, as = name]) => [name, as])

/**
 * A module of Node, without the loader: for an import that looks at each of the module's values first, which loads more. node:crypto,
 * 12 ms of a start, is loaded when one of its functions is called.
 */
function builtin(name, space, list, from) {
  // a module that imports `process` has a constant of that name
  const found = `globalThis.process.getBuiltinModule("${from}")`
  if (list === undefined) return `const ${name ?? space} = ${found};`
  const pairs = pairsIn(list)
  if (from === 'node:crypto' && pairs.every(([each]) => typeof crypto[each] === 'function'))
    return pairs.map(([each, as]) => `const ${as} = (...given) => ${found}.${each}(...given);`).join(' ')
  return `const {${pairs.map(pair => pair.join(': '))}} = ${found};`
}

/** The texts of all outputs, where what one exports to another has a name that no other has. */
function renamed(files) {
  const paths = Object.keys(files)
  const names = new Map()
  /** A short one: the names that files give each other are a hundredth of what a run reads at its start. */
  const unique = (path, name) => {
    const key = `${name} of ${path}`
    const found = names.get(key) ?? `$${names.size.toString(36)}`
    names.set(key, found)
    return found
  }
  return new Map(
    paths.map(path => {
      const imported = readFileSync(path, 'utf8').replace(IMPORT, (whole, list, target) => {
        const found = join(dirname(path), target)
        if (files[found] === undefined) return whole
        const taken = pairsIn(list).map(([name, as]) => `${unique(found, name)} as ${as}`)
        return `import {${taken}} from "${target}";${'\n'.repeat(whole.split('\n').length - 1)}`
      })
      const direct = imported.replace(
        BUILTIN,
        (whole, ...found) => builtin(...found) + '\n'.repeat(whole.split('\n').length - 1)
      )
      const text = direct.replace(EXPORT, (whole, list) => {
        const own = files[path].entryPoint === undefined ? [] : pairsIn(list).map(([name, as]) => `${name} as ${as}`)
        const given = pairsIn(list).map(([name, as]) => `${name} as ${unique(path, as)}`)
        return `export {${[...own, ...given]}};`
      })
      return [path, text]
    })
  )
}

/** Exports what the members of a file export. */
const stubOf = (members, files) =>
  members
    .flatMap(path => {
      const from = JSON.stringify(join(process.cwd(), path))
      const hasDefault = files[path].entryPoint !== undefined && files[path].exports.includes('default')
      return [`export * from ${from}`, ...(hasDefault ? [`export {default} from ${from}`] : [])]
    })
    .join('\n')

/** Takes in the members of one file; all else stays outside, at the place where it will be. */
const inHome = (home, {homes, texts}) => ({
  name: 'join',
  setup: ({onResolve, onLoad}) => {
    onResolve({filter: /^[./]/}, ({path, importer, kind}) => {
      const target = relative(process.cwd(), path.startsWith('/') ? path : join(dirname(importer), path))
      const place = homes.get(target)
      if (place === undefined) return {path, external: true}
      if (place === home && kind !== 'dynamic-import') return {path: join(process.cwd(), target)}
      const way = relative(dirname(home), place)
      return {path: way.startsWith('.') ? way : `./${way}`, external: true}
    })
    onLoad({filter: /\.js$/}, ({path}) => ({
      contents: texts.get(relative(process.cwd(), path)),
      loader: 'js',
      resolveDir: dirname(path)
    }))
  }
})
