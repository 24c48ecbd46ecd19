import type {PlacedMistake, TemplateMistake} from '../../../model/errors.ts'
import type {MistakeCode} from '../../../model/mistake-code.ts'
import {placedText, type Finding} from '../../../files/config/hints.ts'
import {explainPlace} from '../../../files/config/diagnose.ts'
import {nearMiss} from '../../../model/near-miss.ts'
import {examineTemplate, type Examined} from '../../../files/config/every-mistake.ts'
import {refuseNoTemplate} from '../../../files/config/find.ts'
import type {AppPlan, Plan} from '../../../model/plan.ts'
import {daprdUseOf, INSTALL_DAPRD, isForDaprd} from '../../../files/resources/component-support.ts'
import {TO_REPLACE} from '../../../files/config/values.ts'
import {faultText} from '../../../files/resources/fault.ts'
import type {ResourceSnapshot} from '../../../files/resources/app-resources.ts'
import {isActorStore, isActorStoreMark, NO_ACTOR_STORE} from '../../../files/resources/components.ts'
import type {PlacedReference} from '../../../files/resources/field.ts'
import type {WithoutEffect} from '../../../files/resources/without-effect.ts'
import type {CommandHandler} from '../command-handler.ts'
import {refuseProfiles} from '../../../run/selection.ts'
import {print, signedLine} from '../print.ts'
import {sayError} from '../say.ts'
import {surroundings, templatesNamed} from '../template-named.ts'
import {flagVariables} from '../flag.ts'
import {resourcesOf, workflowNeeds} from '../workflow-needs.ts'
import {unknownComponents, unknownScopes} from '../unknown-names.ts'

/** `validate [PATH] [-o json]`: prints every mistake and warning of a template. Exits with 1 if the template cannot run. */
export const validate: CommandHandler = async ({flags, words, asJson}) => {
  const named = templatesNamed(flags, words)
  const profiles = flags.list('profile')
  const overrides = {watch: false, variables: flagVariables(flags), ...(profiles.length > 0 && {profiles})}
  if (named.length === 0) refuseNoTemplate(process.cwd())
  const examined = await examineTemplate(named.length === 0 ? '.' : named, surroundings(), overrides)
  const {errors, loaded} = examined
  if (loaded !== undefined && errors.length === 0) refuseProfiles(loaded.plan, profiles)
  if (flags.text('output') === 'json') return printJson(examined)
  for (const error of errors) sayError(error, asJson)
  const all = await findingsOf(examined)
  for (const finding of all) {
    const {severity, code, message, explanation} = finding
    const text = asJson ? placedText(finding) : message
    const line = signedLine(severity === 'error' ? 'failure' : 'warning', text, asJson, code)
    print(process.stderr, asJson ? line : `${line}${explanation.trimEnd()}\n`)
  }
  if (loaded === undefined || errors.length > 0 || all.some(({severity}) => severity === 'error')) return 1
  const {apps, shownAs} = loaded.plan
  const count = `${apps.length} ${apps.length === 1 ? 'app' : 'apps'}`
  print(process.stdout, signedLine('success', `${shownAs} can run: ${count}`, asJson))
  return 0
}

/** Returns all findings. If the template has errors, its apps may lack resources: then only mistakes within resources count. */
async function findingsOf({errors, loaded}: Examined): Promise<readonly Finding[]> {
  if (loaded === undefined) return []
  const ofResources = await resourceFindings(loaded.plan)
  const isSure = ({code}: Finding): boolean => errors.length === 0 || code === 'resource-mistake'
  return [...(await loaded.findings()), ...ofResources.filter(isSure)]
}

/** Returns the mistakes in the resources of all apps, and resources without effect, each once. */
async function resourceFindings(plan: Plan): Promise<readonly Finding[]> {
  const found = new Map<string, Finding>()
  const resources = await resourcesOf(plan.apps)
  for (const [app, snapshot] of resources) {
    for (const fault of snapshot.faults) {
      const finding = findingOf('resource-mistake', fault)
      found.set(faultText(fault), fault.isFatal === true ? {...finding, severity: 'error'} : finding)
    }
    const findings = [
      ...snapshot.references.map(referenceFinding),
      ...unknownComponents(snapshot).map(mistake => findingOf('no-component', mistake)),
      ...doubleActorStores(snapshot),
      ...(await Promise.all(snapshot.withoutEffect.map(async each => unservedFinding(each, app))))
    ]
    for (const finding of findings) found.set(faultText(finding), finding)
  }
  const needs = workflowNeeds(
    plan,
    resources.map(([, snapshot]) => snapshot)
  )
  for (const mistake of unknownScopes(plan, process.cwd())) {
    const finding = findingOf('resource-mistake', mistake)
    found.set(faultText(finding), finding)
  }
  return [
    ...found.values(),
    ...unrecorded(plan, resources),
    ...(needs?.lacksStore === true ? [withoutActorStore(plan)] : [])
  ]
}

/** Returns the finding about a reference in a resource file, which Dapr does not replace. */
const referenceFinding = ({written, isReplaced, place}: PlacedReference): Finding =>
  isReplaced
    ? findingOf('replaced-here', {
        message: `${written} is replaced by Pillion alone: Dapr takes it as it is`,
        place,
        expected: '',
        hint: 'pillion export writes the files with their values'
      })
    : findingOf('not-interpolated', {
        message: `${written} stays as it is: nothing is replaced in this file`,
        place,
        expected: '',
        hint: TO_REPLACE
      })

/** Returns an error for each further state store of actors: Dapr does not start an app with two (Dapr: pkg/runtime/compstore/statestore.go). */
function doubleActorStores({components}: ResourceSnapshot): readonly Finding[] {
  const [first, ...more] = components.filter(isActorStore)
  return more.flatMap(({name, properties}) => {
    const place = properties.find(isActorStoreMark)?.place
    if (first === undefined || place === undefined) return []
    const message = `detected duplicate actor state store: ${first.name} and ${name}`
    const hint = 'mark one of them only, or limit each to its apps with scopes'
    return [{...findingOf('resource-mistake', {message, place, expected: '', hint}), severity: 'error' as const}]
  })
}

/** Returns findings about names below `conversation` that no component has. */
const unrecorded = (
  {conversation = {}}: Plan,
  resources: Awaited<ReturnType<typeof resourcesOf>>
): readonly Finding[] => {
  const names = resources
    .flatMap(([, {components}]) => components)
    .flatMap(({name, type}) => (type.startsWith('conversation.') ? name : []))
  return Object.entries(conversation)
    .filter(([name]) => !names.includes(name))
    .map(([name, {place}]) => {
      const near = nearMiss(name, names)
      const hint = near === '' ? '' : `did you mean ${near}?`
      const message = `no Component of conversation has the name ${name}: nothing is recorded or given back`
      return findingOf('no-component', {message, place, expected: '', hint})
    })
}

function withoutActorStore({shownAs}: Plan): Finding {
  const place = {file: shownAs, line: 1, column: 1, source: ''}
  const hint = 'pillion export kubernetes says what else workflows need there'
  const finding = findingOf('no-actor-store', {message: NO_ACTOR_STORE, place, expected: '', hint})
  return {...finding, explanation: ''}
}

/** Returns the finding about a resource that Pillion does not serve. A real daprd may serve it. */
async function unservedFinding({what, why, place, component}: WithoutEffect, app: AppPlan): Promise<Finding> {
  const at = {place, expected: ''}
  if (component === undefined || !isForDaprd(component, daprdUseOf(process.env)))
    return findingOf('no-effect', {...at, message: `${what} has no effect: ${why}`, hint: ''})
  const {findDaprd} = await import('../../../dapr/sidecar/daprd/find-daprd.ts')
  const program = await findDaprd(app.resources.defaultFolder, process.env['PATH'] ?? '')
  if (typeof program === 'string')
    return findingOf('no-effect', {...at, message: `${what} needs a real daprd, and ${program}`, hint: INSTALL_DAPRD})
  const {path, version} = program
  return findingOf('by-daprd', {
    ...at,
    message: `${what} is served by daprd ${version} (${path}) next to the app`,
    hint: ''
  })
}

function findingOf(code: MistakeCode, mistake: PlacedMistake): Finding {
  const {message, place, expected, hint} = mistake
  const length = /^\S*/.exec(place.source.slice(place.column - 1))?.[0].length ?? 1
  const explanation = explainPlace(place, length, [expected, hint])
  return {severity: 'warning', code, message, place, expected, hint, explanation}
}

/** Prints the result as one object: a template with `errors` cannot run, one with only `findings` can. */
async function printJson(examined: Examined): Promise<number> {
  const {errors, loaded} = examined
  const all = await findingsOf(examined)
  const of = (wanted: Finding['severity']) => all.filter(({severity}) => severity === wanted).map(flat)
  const refused = errors.flatMap(({message, mistakes, code = 'template-unreadable'}) =>
    mistakes.length > 0 ? mistakes.map(flat) : [{message, code}]
  )
  const plan = errors.length > 0 ? undefined : loaded?.plan
  const report = {
    template: plan?.shownAs,
    apps: plan?.apps.length,
    errors: [...refused, ...of('error')],
    findings: of('warning')
  }
  print(process.stdout, `${JSON.stringify(report, null, 2)}\n`)
  return report.errors.length === 0 ? 0 : 1
}

const flat = ({code, message, place: {file, line, column}, expected, hint}: TemplateMistake) => ({
  file,
  line,
  column,
  message,
  expected,
  hint,
  code
})
