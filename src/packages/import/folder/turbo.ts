// Turborepo: what a package's script needs before it is started, by turbo.json (turborepo.com/docs/reference/configuration).
import type {ImportedApp} from '../imported.ts'
import {execOf, readPackage} from './languages/node.ts'
import {jsonOf} from '../reading/files.ts'
import {isMap, mapOf, textsOf, type Values} from '../reading/yaml-file.ts'

/** Apps with the tasks that turbo runs before their scripts, each task an app that ends. */
export function withTurbo(apps: readonly ImportedApp[], root: string): readonly ImportedApp[] {
  const shared = tasksIn(root)
  const filters = new Map<string, string[]>()
  const started = apps.map(app => {
    const [, word, script = ''] = (app.keys['command'] ?? []) as readonly string[]
    const name = readPackage(app.folder)?.['name']
    if (word !== 'run' || typeof name !== 'string') return app
    const task = {
      ...mapOf(shared[script]),
      ...mapOf(shared[`${name}#${script}`]),
      ...mapOf(tasksIn(app.folder)[script])
    }
    const needed = textsOf(task['dependsOn']).map(each => taskOf(each, name))
    for (const {task: each, filter} of needed) filters.set(each, [...(filters.get(each) ?? []), filter])
    const ids = [...new Set(needed.map(each => idOf(each.task)))]
    return ids.length === 0
      ? app
      : {...app, keys: {...app.keys, dependsOn: Object.fromEntries(ids.map(id => [id, 'completed']))}}
  })
  const before = [...filters].map(([task, names]) => ({
    id: idOf(task),
    folder: root,
    keys: {command: [...execOf(root), 'turbo', 'run', task, ...new Set(names.map(name => `--filter=${name}`))]},
    notes: []
  }))
  return [...before, ...started]
}

/** `^build` is the task of all packages that one needs, `web#build` that of another one, `build` its own. */
function taskOf(typed: string, name: string): {readonly task: string; readonly filter: string} {
  if (typed.startsWith('^')) return {task: typed.slice(1), filter: `${name}^...`}
  const [owner = name, task] = typed.split('#')
  return task === undefined ? {task: typed, filter: name} : {task, filter: owner}
}

const idOf = (task: string): string => `turbo-${task.replaceAll(/[^\w-]/g, '-')}`

/** The tasks of a turbo.json; none if it is not there. */
function tasksIn(folder: string): Values {
  const {tasks, pipeline} = jsonOf(folder, 'turbo.json')
  return isMap(tasks) ? tasks : mapOf(pipeline)
}
