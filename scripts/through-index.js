// Takes what a package's index.ts exports from the files that have it. esbuild keeps an index together with all that it
// exports, so that one name would load the whole package.
import {readFileSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'

const TAKEN = /^import \{([^}]*)\} from '(#[\w-]+)'/gm
const GIVEN = /^export \{([^}]*)\} from '([^']+)'/gm

const namesIn = list =>
  list
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && !name.startsWith('type '))

/** The file of each name that an index exports from another one. */
function homesIn(index) {
  const given = [...readFileSync(index, 'utf8').matchAll(GIVEN)]
  return new Map(given.flatMap(([, list, file]) => namesIn(list).map(name => [name, join(dirname(index), file)])))
}

/** A plugin of esbuild; `imports` are those of package.json. */
export const throughIndex = imports => ({
  name: 'through-index',
  setup(to) {
    const packages = new Map(Object.entries(imports).map(([name, path]) => [name, resolve(path)]))
    const homes = new Map([...packages].map(([name, index]) => [name, homesIn(index)]))
    to.onLoad({filter: /[/\\]src[/\\].*\.ts$/}, ({path}) => {
      const text = readFileSync(path, 'utf8')
      if (!text.includes(" from '#")) return undefined
      const contents = text.replace(TAKEN, (whole, list, from) => {
        const lines = namesIn(list).map(name => {
          const home = homes.get(from)?.get(name.split(' ')[0]) ?? packages.get(from)
          return `import {${name}} from ${JSON.stringify(home)}`
        })
        // on as many lines as before, for stack traces
        return lines.join('; ') + '\n'.repeat(whole.split('\n').length - 1)
      })
      return {contents, loader: 'ts', resolveDir: dirname(path)}
    })
  }
})
