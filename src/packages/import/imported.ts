import {dirname, relative, resolve} from 'node:path'
import {explainPlace, placeOf} from '../../files/config/diagnose.ts'
import {UserError} from '../../model/errors.ts'
import {isObject} from '../../model/is-object.ts'

/** How a program gets the number at which it listens: in PORT, in another variable, or as words of its command. */
export type Takes = 'PORT' | {readonly variable: string} | {readonly words: (port: string) => readonly string[]}

/** Port of a program by its files, and by its callers. */
export interface ListensAt {
  /** 0: its files do not tell. */
  readonly port: number
  /** Number at which others call it; omitted: the program's own. */
  readonly called?: number
  /** Number in its code where a source gives it another one in PORT: 4000 of `process.env.PORT || 4000`. */
  readonly written?: number
  /** The owner of a default, such as `the default of uvicorn`; omitted: a file has the number. */
  readonly guess?: string
  /** Set if it serves at an unknown number. */
  readonly serves?: boolean
  /** How the program is given its port. Omitted: its source code shows whether it reads PORT. */
  readonly takes?: Takes | undefined
}

/** An app as another tool's file has it. */
export interface ImportedApp {
  readonly id: string
  /** Absolute. */
  readonly folder: string
  /** Further keys of the template, in the order in which they are written. */
  readonly keys: Readonly<Record<string, unknown>>
  /** Further ports of this machine on which it listens, and how its command says so. */
  readonly published?: readonly {readonly port: number; readonly text: string}[]
  /** The image of a container that is not built here. */
  readonly image?: string
  /** Its port; absent for containers. */
  readonly listens?: ListensAt
  /** Its name in its source: addresses of others have it in place of a number. */
  readonly service?: string
  /** The variables of a container as a program in its place needs them. */
  readonly envHere?: Readonly<Record<string, string>>
  /** The folder of which its image is built. */
  readonly builtFrom?: string
  /** Notes about what could not be carried over, or has to be checked. */
  readonly notes: readonly string[]
}

/** The template of another tool's file, or of a folder. */
export interface Imported {
  /** The name of the source, for people. */
  readonly from: string
  readonly name?: string
  /** Values contain variables; a path: also those of this file. */
  readonly interpolate?: boolean | string
  readonly common?: Readonly<Record<string, unknown>>
  readonly apps: readonly ImportedApp[]
  readonly notes: readonly string[]
}

/** A file to import: its path as messages name it, and its text. */
export interface ImportedFile {
  readonly path: string
  /** The folder in which compose is started: its `.env` comes before that next to the file. */
  readonly start?: string
  readonly shownAs: string
  readonly text: string
}

/** Returns the absolute path of a name in a file. */
export const pathFrom = (file: ImportedFile, path: string): string =>
  resolve(dirname(file.path), path.replace(/^~(?=\/)/, process.env['HOME'] ?? '~'))

/** A path as it is written in a template: relative with `./`, or absolute where it is far away. */
export function pathTo(path: string, from: string): string {
  const way = relative(from, path)
  if (way === '') return '.'
  return way.startsWith('../../../') ? path : way.startsWith('..') ? way : `./${way}`
}

export function withTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map(each => withTexts(each, change))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withTexts(each, change)]))
}

/** Variables of compose and process-compose are written with braces here, and a literal `$` alone. */
export const withBraces = (text: string): string =>
  text.replaceAll(/\$(\$\{?|\{|[A-Za-z_]\w*)/g, (whole, what: string) =>
    what === '$' ? '$' : what.endsWith('{') ? whole : `\${${what}}`
  )

/** Returns an app of a source without variables, for a template with variables: a shell reads its `${NAME}`. */
export const withoutVariables = (app: ImportedApp): ImportedApp => ({
  ...app,
  keys: withTexts(app.keys, text => text.replaceAll('${', () => '$${')) as ImportedApp['keys']
})

/** The error for a file that cannot be understood, with the place. */
export function unreadable({shownAs, text}: ImportedFile, why: string, offset: number, hint = ''): UserError {
  const place = placeOf({shownAs, text}, offset)
  return new UserError(`cannot import ${shownAs}: ${why}`, {explanation: explainPlace(place, 1, [hint])})
}
