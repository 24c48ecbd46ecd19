import {dirname} from 'node:path'
import {Document} from 'yaml'
import {isPlainTemplate} from '../../model/template-name.ts'
import {pathTo, type Imported, type ImportedApp} from './imported.ts'

const MARK = '# import:'

/** The text of a template. `file`: where it will be, which relative paths count from. */
export function templateText(imported: Imported, file: string): string {
  const {from, name, interpolate, common, apps, notes} = imported
  const lines = [
    `# Written by pillion import from ${oneLine(from)}.`,
    ...(countNotes(imported) > 0 ? [`# What could not be carried over, or needs a look, is behind "${MARK}".`] : []),
    'version: 1',
    ...(name === undefined ? [] : pair('name', name)),
    ...(interpolate === undefined
      ? []
      : pair('interpolate', interpolate === true || pathTo(String(interpolate), dirname(file)))),
    ...notes.flatMap(note => comment(note)),
    ...(common === undefined ? [] : ['common:', ...indented(keys(common), '  ')]),
    'apps:',
    ...apps.flatMap(app => appLines(app, file))
  ]
  return `${lines.join('\n')}\n`
}

export const countNotes = ({apps, notes}: Imported): number =>
  notes.length + apps.reduce((sum, app) => sum + app.notes.length, 0)

const OF_DAPR = /^(?:dapr|resourcesPath|configFilePath|enableApi|enableApp|appHealth)/

/** Whether a template of the source uses Dapr: its apps have resources, or settings of a sidecar. */
export const usesDapr = ({common = {}, apps}: Imported): boolean =>
  [common, ...apps.map(app => app.keys)].some(values => Object.keys(values).some(key => OF_DAPR.test(key)))

function appLines({id, folder, keys: more, notes}: ImportedApp, file: string): readonly string[] {
  const isPlain = isPlainTemplate(file)
  const [first = '', ...rest] = [
    ...pair(isPlain ? 'id' : 'appID', id),
    ...pair(isPlain ? 'dir' : 'appDirPath', pathTo(folder, dirname(file))),
    ...keys(more),
    ...notes.flatMap(note => comment(note))
  ]
  return [`  - ${first}`, ...indented(rest, '    ')]
}

const indented = (lines: readonly string[], by: string): readonly string[] =>
  lines.map(line => (line === '' ? '' : by + line))

const comment = (note: string): readonly string[] =>
  note.split('\n').map((line, index) => `${index === 0 ? MARK : '#  '} ${oneLine(line)}`)

/** Replaces characters that end a comment for some reader of YAML, or are not allowed in one, by blanks. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')

const keys = (values: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(values).flatMap(([key, value]) => pair(key, value))

/** Line breaks of YAML 1.1 that YAML 1.2 and JSON know as plain characters: escaped, they are text for every reader. */
const OTHER_BREAKS = /[\u0085\u2028\u2029]/g

/** A key and its value: lists and maps in one line, the variables of `env` in one each, and texts of several lines as they are. */
function pair(key: string, value: unknown): readonly string[] {
  const document = new Document({}, {version: '1.1'})
  const isFlow = key !== 'env' && !JSON.stringify(value).includes('\\n')
  document.contents = document.createNode({[key]: document.createNode(value, {flow: isFlow})})
  const hasBreaks = new RegExp(OTHER_BREAKS).test(JSON.stringify([key, value]))
  const style = hasBreaks ? ({defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE'} as const) : {}
  const text = document.toString({lineWidth: 0, flowCollectionPadding: false, ...style}).trimEnd()
  return text.replaceAll(OTHER_BREAKS, each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).split('\n')
}
