import {dependsOn} from '../template.ts'
import {pick, type Kinds, type Place} from './step.ts'

/**
 * So often what is written at once is seen, at most. Invented: once for each of two writes. In the real world a busy machine tells of many files in several
 * breaths; the manual allows thirty restarts in a minute.
 */
const breathsOf = ({isPatient}: Place): number => (isPatient ? 2 : 30)

/** Saves in the folders of apps. */
export const SAVES: Kinds = {
  save: [
    14,
    (model, {a}) => {
      const folder = pick(model.written.apps, a)?.folder
      if (folder === undefined) return undefined
      const text = model.next().toString()
      model.texts.set(folder, text)
      model.saved(folder)
      return [{do: 'write', files: {[`${folder}/version.txt`]: text}}]
    }
  ],
  'save bad code': [
    4,
    (model, {a}, {isPatient}) => {
      const folder = pick(model.written.apps, a)?.folder
      const apps = model.written.apps.filter(each => each.folder === folder)
      // a start that waits for such an app would wait for the next save
      const isAwaited = model.followed.apps.some(
        each => model.underWay.has(each.id) && dependsOn(each).some(([id]) => apps.some(app => app.id === id))
      )
      if (isAwaited) return undefined
      // such an app would be started again for minutes
      if (folder === undefined || (!isPatient && apps.some(({keys}) => keys.restart !== undefined))) return undefined
      const text = `bad${model.next()}`
      model.texts.set(folder, text)
      model.saved(folder)
      return [{do: 'write', files: {[`${folder}/version.txt`]: text}}]
    }
  ],
  'save unchanged': [
    2,
    (model, {a}) => {
      const folder = pick(model.written.apps, a)?.folder
      if (folder === undefined) return undefined
      model.savedUnchanged(folder)
      return [{do: 'write', files: {[`${folder}/version.txt`]: model.texts.get(folder) ?? ''}}]
    }
  ],
  'switch branch': [
    2,
    (model, {a, b}, place) => {
      const {apps} = model.written
      const folders = [...new Set(apps.slice(a % apps.length).map(({folder}) => folder))]
      const text = model.next().toString()
      for (const folder of folders) model.texts.set(folder, text)
      for (const folder of folders) model.saved(folder, breathsOf(place))
      const files = Object.fromEntries(folders.map(folder => [`${folder}/version.txt`, text]))
      const many = {do: 'write many' as const, folders, count: 50 + (b % 250), text}
      return b % 2 === 0 ? [{do: 'write', files}, many] : [many, {do: 'write', files}]
    }
  ]
}
