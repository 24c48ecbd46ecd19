import {isPlainTemplate} from '../../model/template-name.ts'
import type {ListItem, Pair, YamlNode} from '../yaml/tree.ts'
import type {Mistake, Source} from './diagnose.ts'
import {SHORT_NAMES} from './plain-words.ts'

/** Replaces short keys of apps by the whole names. An entry with both keeps its short key, which `twiceNamed` refuses. */
export function withWholeNames({shownAs}: Source, root: YamlNode): YamlNode {
  if (!isPlainTemplate(shownAs) || root.kind !== 'map') return root
  const pairs = root.pairs.map(pair =>
    pair.name === 'apps' && pair.node.kind === 'list'
      ? {...pair, node: {...pair.node, items: pair.node.items.map(inApp)}}
      : pair
  )
  return {...root, pairs}
}

const inApp = (item: ListItem): ListItem =>
  item.node.kind === 'map' ? {...item, node: {...item.node, pairs: wholeKeys(item.node.pairs)}} : item

const wholeKeys = (pairs: readonly Pair[]): readonly Pair[] =>
  pairs.map(pair => {
    const name = SHORT_NAMES.get(pair.name)
    return name === undefined || pairs.some(other => other.name === name) ? pair : {...pair, name}
  })

/** Finds keys that an entry has in both spellings. */
export const twiceNamed = ({shownAs}: Source, pairs: ReadonlyMap<string, Pair>): readonly Mistake[] =>
  [...SHORT_NAMES].flatMap(([short, whole]) => {
    const pair = isPlainTemplate(shownAs) && pairs.has(whole) ? pairs.get(short) : undefined
    if (pair === undefined) return []
    const message = `${short} and ${whole} are two names of one key`
    return {code: 'conflicting-keys' as const, message, spot: pair.key, hint: `remove ${whole}`}
  })
