// The strongest evidence of where a service is called: URLs of this machine that other services have for it.
import {basename, join} from 'node:path'
import {isInside} from '../../model/glob.ts'
import type {ImportedApp} from './imported.ts'
import {portOfCallers} from './reading/listening.ts'
import {plainNumbers} from './ports.ts'
import {entriesOf, sourcesIn, textAt} from './reading/files.ts'
import {sampleOf} from './reading/variables.ts'
import {mapOf} from './reading/yaml-file.ts'

/** A URL of this machine, and the name of its variable or key. */
interface Named {
  /** In capitals, with `_` between its words: `VITE_API_URL`, `usersUrl` as `USERS_URL`; '': it has none. */
  readonly name: string
  readonly port: number
  /** The file with it; the folder of an app for its `env`. */
  readonly path: string
}

/** Apps at the numbers at which others call them. Of two numbers for one app its own one counts, else the first. */
export function withCalledPorts(apps: readonly ImportedApp[], roots: readonly string[]): readonly ImportedApp[] {
  const folders = [
    ...new Set([...roots, ...apps.filter(({published}) => published === undefined).map(({folder}) => folder)])
  ]
  const named = [
    ...folders.flatMap(urlsIn),
    ...apps.flatMap(({keys, folder}) =>
      Object.entries(mapOf(keys['env'])).flatMap(([name, value]) =>
        urlsOf(`${name}="${plainNumbers(String(value))}"`, folder)
      )
    )
  ]
  const owners = new Map(named.map(each => [each, ownerOf(each.name, apps)] as const))
  return apps.map(app => {
    if (app.published !== undefined) return app
    const own = portOfCallers(app)
    const isOwn = ({path}: Named): boolean =>
      path === app.folder || (isInside(path, app.folder) && !roots.includes(app.folder))
    const ports = named.flatMap(each => (owners.get(each) === app.id && !isOwn(each) ? [each.port] : []))
    const written = app.listens?.written ?? own
    // env files of a root are for all of its programs
    const isOfOthers = (path: string): boolean =>
      !isInside(path, app.folder) || (roots.includes(app.folder) && basename(path).startsWith('.env'))
    const byOthers = named.some(({port, path}) => port === written && isOfOthers(path))
    const isOfOther = apps.some(
      each => each !== app && [portOfCallers(each), each.listens?.port, each.listens?.written].includes(written)
    )
    const called = ports.includes(own) ? own : (ports[0] ?? (byOthers && !isOfOther ? written : 0))
    return called === 0 ? app : {...app, listens: {port: 0, ...app.listens, called}}
  })
}

/** Returns the app that a name of a URL means, with most words of it. */
function ownerOf(name: string, apps: readonly ImportedApp[]): string | undefined {
  const words = `_${name.replace(/^(?:NEXT|NUXT|EXPO)_PUBLIC_/, '')}_`
  const found = apps.map(({id}) => ({id, part: partFor(id, words)})).filter(({part}) => part !== '')
  return found.toSorted((a, b) => b.part.length - a.part.length)[0]?.id
}

/** `_ORDERS_API_URL_` of `_SHOP_ORDERS_API_URL_` for orders, or orders-service; '': the name does not mean it. */
function partFor(id: string, words: string): string {
  const base = wordsOf(id).replace(/_(?:SERVICE|SVC|API|APP|SERVER|BACKEND)$/, '')
  return (
    new RegExp(
      `_(?!BASE_URL)${base}(?:_(?:SERVICE|SVC|API|APP|SERVER|BACKEND))?(?:_(?:BASE|HTTP|INTERNAL|PUBLIC))*_(?:URL|URI|ADDR|ADDRESS|ENDPOINT|HOST|ORIGIN|BASE|TARGET|PORT)_`
    ).exec(words)?.[0] ?? ''
  )
}

const wordsOf = (name: string): string =>
  name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .replaceAll(/\W+/g, '_')
    .toUpperCase()

const SETTINGS =
  /^(?:\.env(?:\.local|\.development|\.dev)?|.*config.*\.(?:[cm]?[jt]s|json|ya?ml)|application.*\.(?:ya?ml|properties))$/

/** URLs in the env files, the settings and the code of a folder. */
function urlsIn(folder: string): readonly Named[] {
  const names = entriesOf(folder)
  const sample = names.includes('.env') ? '' : sampleOf(join(folder, '.env'))
  const files = names.filter(name => SETTINGS.test(name) || name === sample).map(name => join(folder, name))
  const all = [...files, ...sourcesIn(folder)]
  return [...new Set(all)].flatMap(path => urlsOf(textAt(path), path))
}

/** An address of this machine, or a variable with a port. */
const ADDRESSES = /\b(?:localhost|127\.0\.0\.1):(\d{2,5})\b|\b([A-Z]\w{0,60}_PORT)["']?\s?[=:]\s?["']?(\d{4,5})\b/g
/** A name and a sign, at the end of a text in front of an address. */
const NAMED =
  /([A-Za-z][\w.-]*)["'`\])]*\s*(?::\s*string\s*)?(?:=|:|\|\||\?\?|,|\?:)\s*["'`]?(?:\$\{\w+:-?)?(?:\w+:\/\/)?$/
/** A name further ahead is that of something else. */
const MAX_AHEAD = 120

const urlsOf = (text: string, path: string): readonly Named[] =>
  text
    .split('\n')
    .filter(line => !/^\s*(?:#|\/\/|\*)/.test(line))
    .flatMap(line =>
      Array.from(line.matchAll(ADDRESSES), match => {
        const [, port, variable, number] = match
        const ahead = line.slice(Math.max(0, match.index - MAX_AHEAD), match.index)
        return {name: wordsOf(variable ?? NAMED.exec(ahead)?.[1] ?? ''), port: Number(port ?? number), path}
      })
    )
