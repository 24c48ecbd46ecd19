import type * as Api from '../../model/api.generated.ts'
import {homedir} from 'node:os'
import {dirname} from 'node:path'
import {examineTemplate} from '../../files/config/every-mistake.ts'
import type {Loaded} from '../../files/config/load.ts'
import {messageOf, type Place, type TemplateMistake} from '../../model/errors.ts'
import {readTextFile} from '../../model/read-file.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'
import type {ApiContext, TemplateSource} from './route.ts'
import {edgeViews, graphView} from './edges.ts'
import {ApiProblem} from './problem.ts'
import {isAlias, isScalar, isSeq, parseAllDocuments, visit, type Node} from 'yaml'
import {MASK} from '../replay/edit.ts'

/** Reads and checks the template. Throws an ApiProblem if there is none, or it cannot be read. */
export async function templateView({template, recorder, plans}: ApiContext, masking: Masking): Promise<Api.Template> {
  const [first = '', ...others] = template.files
  if (first === '') throw new ApiProblem(404, 'the run has no template', 'It was started as a single app.')
  if (template.isStdin) throw new ApiProblem(404, 'the template is not kept', 'It came from standard input.')
  const files = [first, ...others].map(file => ({file, text: maskedTemplate(textIn(file), masking)}))
  return {files, findings: await findingsOf(template, graphView(edgeViews(recorder), plans()))}
}

function textIn(file: string): string {
  try {
    return readTextFile(file)
  } catch (error) {
    throw new ApiProblem(404, `the template cannot be read: ${messageOf(error)}`)
  }
}

const findingAt = (
  place: Pick<Place, 'file' | 'line' | 'column'>,
  more: Partial<Api.TemplateFinding>
): Api.TemplateFinding => {
  const {file, line, column} = place
  return {file, line, column, severity: 'error', code: '', message: '', expected: '', hint: '', lines: '', ...more}
}

const placed = ({place, code, message, expected, hint}: TemplateMistake, severity: Api.TemplateFinding['severity']) =>
  findingAt(place, {severity, code, message, expected, hint})

async function findingsOf({files, env}: TemplateSource, graph: Api.Graph): Promise<readonly Api.TemplateFinding[]> {
  const [first = ''] = files
  const around = {cwd: dirname(first), home: homedir(), env, readStdin: () => ''}
  const {errors, loaded} = await examineTemplate(files, around, {watch: false})
  const refused = errors.flatMap(({message, mistakes, explanation, code = ''}) =>
    mistakes.length > 0
      ? mistakes.map(mistake => placed(mistake, 'error'))
      : findingAt({file: first, line: 1, column: 1}, {code, message, hint: explanation})
  )
  const findings = ((await loaded?.findings()) ?? []).map(finding => placed(finding, finding.severity))
  const seen = loaded === undefined || errors.length > 0 ? [] : observed(loaded, graph)
  const fileIndex = ({file}: Api.TemplateFinding): number => files.indexOf(file)
  return [...refused, ...findings, ...seen].toSorted((a, b) => fileIndex(a) - fileIndex(b) || a.line - b.line)
}

/** Finds the calls of the run that differ from `dependsOn`. */
function observed({plan, places}: Loaded, {edges, uncalled}: Api.Graph): readonly Api.TemplateFinding[] {
  const placeOf = places()
  const needs = new Map(plan.apps.map(({id, dependsOn}) => [id, dependsOn]))
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    from === to || (!seen.has(from) && (needs.get(from) ?? []).some(({id}) => reaches(id, to, seen.add(from))))
  return [...needs].flatMap(([id, dependsOn]) => {
    const place = placeOf.get(id) ?? {file: '', line: 1, column: 1}
    const of = (more: Partial<Api.TemplateFinding>): Api.TemplateFinding =>
      findingAt(place, {severity: 'observed', ...more})
    const called = edges.filter(edge => edge.from === id && edge.isDeclared === false).map(({to}) => to)
    const missing = called.filter(to => !reaches(to, id))
    const circular = called.filter(to => reaches(to, id))
    const silent = uncalled.filter(({from}) => from === id)
    const undeclared = {
      message: undeclaredText(id, called),
      hint: circular.map(to => `${to} depends on ${id} already`).join(', '),
      lines: missing.length === 0 ? '' : dependsOnText(dependsOn, missing)
    }
    return [
      ...(called.length === 0 ? [] : [of(undeclared)]),
      ...silent.map(({to}) => of({message: `${id} names ${to} under dependsOn, and has not called it`}))
    ]
  })
}

type Needs = Loaded['plan']['apps'][number]['dependsOn']

function undeclaredText(id: string, called: readonly string[]): string {
  const names = called.length === 1 ? called[0] : `${called.slice(0, -1).join(', ')} and ${called.at(-1) ?? ''}`
  return `${id} calls ${names ?? ''}: not in its dependsOn`
}

/** Returns the key `dependsOn` with all dependencies: as a list, or as a map if one has another condition than `ready`. */
function dependsOnText(needs: Needs, more: readonly string[]): string {
  const all = [...needs, ...more.map(id => ({id, until: 'ready'}))]
  if (all.every(({until}) => until === 'ready')) return `dependsOn: [${all.map(({id}) => id).join(', ')}]`
  return `dependsOn: {${all.map(({id, until}) => `${id}: ${until}`).join(', ')}}`
}

/** A name and its value in one line: in a comment, outside YAML, or in a variable's default, `${NAME:-secret}`. */
const NAMED = [
  /^([ \t]*(?:#[# \t]*)?(?:- +)?["']?([\w.-]+)["']?:[ \t]+)(?![|>#])(\S.*)$/gm,
  /(\$\{(\w+):?[-+])([^{}\n]+)(?=\})/g
]

/** Masks values of keys with a secret name everywhere in a template. Lines keep their numbers. */
export function maskedTemplate(text: string, masking: Masking): string {
  let masked = ''
  let done = 0
  for (const [start = 0, end = 0] of secretSpots(text, masking).toSorted(([a = 0], [b = 0]) => a - b)) {
    if (start < done || end <= start) continue
    const value = text.slice(start, end)
    masked += text.slice(done, start) + masking.value(value.trim()) + '\n'.repeat(value.split('\n').length - 1)
    done = end
  }
  const mask = (all: string, before: string, name: string, value: string): string =>
    MASK.test(value) || !masking.isSecret(name, value) ? all : before + masking.value(value.trim())
  return masking.words(NAMED.reduce((whole, named) => whole.replaceAll(named, mask), masked + text.slice(done)))
}

/** Returns the ranges of secret values in all YAML documents, also of values to which an alias refers. */
function secretSpots(text: string, masking: Masking): readonly (readonly number[])[] {
  const options = {version: '1.1', schema: 'failsafe', uniqueKeys: false, prettyErrors: false} as const
  return parseAllDocuments(text, options).flatMap(document => {
    const secret: (readonly Node[])[] = []
    visit(document, {
      Pair: (_, {key, value}) => {
        // the value of an alias is unknown here: the name of the key alone decides
        if (isScalar(key) && masking.isSecret(String(key.value), isScalar(value) ? String(value.value) : '*'))
          secret.push(valuesOf(value))
      },
      Seq: (_, {items}) => {
        const words = items.map(item => (isScalar(item) ? String(item.value) : ''))
        secret.push(items.filter((_item, at) => masking.isArgument(words[at - 1] ?? '', words[at] ?? '')) as Node[])
      }
    })
    const anchors = new Set(secret.flat().flatMap(node => (isAlias(node) ? node.source : [])))
    visit(document, {Value: (_, node) => void (anchors.has(node.anchor ?? '') && secret.push(valuesOf(node)))})
    return secret.flat().flatMap(node => (isScalar(node) && node.range ? [node.range] : []))
  })
}

const valuesOf = (node: unknown): readonly Node[] => (isSeq(node) ? node.items.flatMap(valuesOf) : [node as Node])
