import type {MeasureName} from './figure.ts'

/** Bound of a row; `ratio` is ours divided by the peer's. */
export interface Goal {
  readonly of: 'ours' | 'ratio'
  /** The peer that is meant where there are several. */
  readonly to?: string
  readonly atLeast?: number
  readonly atMost?: number
  /** Sentences for the page: the largest parts of the time or memory, if the goal is missed. */
  readonly account?: string
}

/** Goals that a user would feel. A row without one is shown without a verdict. */
export const GOALS: Partial<Readonly<Record<MeasureName, Goal>>> = {
  'ten apps: listen': {of: 'ratio', to: 'process-compose', atMost: 2},
  'ten apps: answered': {of: 'ours', atMost: 300},
  'ten apps: memory': {of: 'ours', atMost: 60},
  'ten apps: stop': {of: 'ours', atMost: 300},
  '200 apps: started': {of: 'ratio', atMost: 2.5},
  calls: {of: 'ratio', to: 'nginx', atLeast: 0.9},
  'calls: p50': {of: 'ratio', to: 'nginx', atMost: 1.1},
  'calls at a port': {of: 'ratio', to: 'nginx', atLeast: 0.9},
  'calls at a port: p50': {of: 'ratio', to: 'nginx', atMost: 1.1},
  'calls by name': {of: 'ratio', to: 'nginx', atLeast: 0.6},
  'gRPC: 32 streams': {of: 'ratio', to: 'nginx', atLeast: 1.8},
  'gRPC: p50': {of: 'ratio', to: 'nginx', atMost: 1.15},
  memory: {of: 'ours', atMost: 70},
  'memory: calm': {of: 'ours', atMost: 60},
  lines: {of: 'ratio', to: 'plain', atLeast: 0.7},
  'lines: lost': {of: 'ours', atMost: 0},
  'save → new code': {of: 'ours', atMost: 45},
  'save: lost calls': {of: 'ours', atMost: 0},
  'blocks: get': {of: 'ratio', to: 'daprd', atLeast: 2},
  'blocks: save': {of: 'ratio', to: 'daprd', atLeast: 2},
  'blocks: published': {of: 'ratio', to: 'daprd', atLeast: 2},
  'workflows: one activity': {of: 'ratio', to: 'daprd', atLeast: 2.5},
  'workflows: CPU': {of: 'ratio', to: 'daprd', atMost: 0.1},
  'workflows: p50': {of: 'ratio', to: 'daprd', atMost: 0.25}
}
