import {Masking} from '../telemetry/recorder/masking.ts'
import type {ApiContext} from './api.ts'
import type {AppView} from './app-view.ts'
import {MaskedTemplate} from './masked-template.ts'

/** A variable that an app has besides those of the shell that started the run. */
export interface VariableView {
  readonly name: string
  /** Secrets are masked. */
  readonly value: string
  /** `template`: with its `.env` files; `run`: from us, as from Dapr. */
  readonly from: 'template' | 'run'
}

/** An app with its variables, by their names. */
export function withEnvironment(app: AppView, {environments, masked, template: {shell}}: ApiContext): AppView {
  const found = environments().find(
    ({plan: {id, version, instance}}) => id === app.id && version === app.version && instance === app.instance
  )
  if (found === undefined) return app
  const {plan, environment} = found
  const mask = new MaskedTemplate(new Masking(masked()))
  const variables = Object.entries(environment)
    .filter(([name, value]) => (name in plan.env || shell[name] !== value) && !MARKERS.has(name))
    .map(([name, value]): VariableView => {
      const from = name in plan.env ? 'template' : 'run'
      return {name, value: mask.value(name, value), from}
    })
  return {...app, environment: variables.toSorted((a, b) => (a.name < b.name ? -1 : 1))}
}

const MARKERS = new Set(['PILLION_RUN', 'PILLION_LIFE'])
