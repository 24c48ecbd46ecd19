import {environmentOf, tracesCarrying} from '../../rig/traces.ts'
import type {Living} from '../world.ts'

/** Every process that a run of ours has marked; `run`: the pid of the one that should live, `notes`: what they wrote. */
export function livingOf(
  marker: string,
  run: number | undefined,
  notes: readonly string[]
): readonly (Living & {readonly isOfRun: boolean})[] {
  const texts = new Map(notes.map(line => line.split(' ')).map(([, , life = '', text = '']) => [life, text]))
  const all = tracesCarrying(marker).map(({pid, parent}) => {
    const env = Object.fromEntries(
      environmentOf(pid).map(each => [each.split('=')[0] ?? '', each.slice(each.indexOf('=') + 1)])
    )
    const life = env['PILLION_LIFE'] ?? ''
    return {id: env['APP_ID'] ?? '', pid, isChild: parent === run, life, env, text: texts.get(life) ?? ''}
  })
  const marked = all.filter(({life}) => life !== '')
  const ours = marked.find(({isChild}) => isChild)?.env['PILLION_RUN']
  return marked.map(each => ({
    ...each,
    isOfRun: each.isChild || (ours !== undefined && each.env['PILLION_RUN'] === ours)
  }))
}
