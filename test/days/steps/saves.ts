import {pick, type Kinds} from './step.ts'

/** The most times that a write at once is seen: once for each of two writes. */
const BREATHS = 2

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
    (model, {a}) => {
      const folder = pick(model.written.apps, a)?.folder
      if (folder === undefined) return undefined
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
    (model, {a, b}) => {
      const {apps} = model.written
      const folders = [...new Set(apps.slice(a % apps.length).map(({folder}) => folder))]
      const text = model.next().toString()
      for (const folder of folders) model.texts.set(folder, text)
      for (const folder of folders) model.saved(folder, BREATHS)
      const files = Object.fromEntries(folders.map(folder => [`${folder}/version.txt`, text]))
      const many = {do: 'write many' as const, folders, count: 50 + (b % 250), text}
      return b % 2 === 0 ? [{do: 'write', files}, many] : [many, {do: 'write', files}]
    }
  ]
}
