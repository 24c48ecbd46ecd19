import type {RoutePlan} from '../../model/plan.ts'
import type {VerbatimHead} from './verbatim-head.ts'

/** The route of a path; undefined if the app itself answers. A prefix ends at a slash: `/api` is not the start of `/apis`. */
export const routeOf = (routes: readonly RoutePlan[], path: string): RoutePlan | undefined =>
  routes.find(({prefix}) => prefix === '/' || path === prefix || path.startsWith(`${prefix}/`))

/** The head of a request without a prefix of its path. */
export function strippedHead(head: VerbatimHead, prefix: string): VerbatimHead {
  if (prefix === '/') return head
  const cut = (target: string): string => {
    const rest = target.slice(prefix.length)
    return rest.startsWith('/') ? rest : `/${rest}`
  }
  const {method, path, size} = head
  const target = cut(head.target)
  const text = `${method} ${target}${head.text.slice(method.length + 1 + head.target.length, size)}`
  return {...head, target, path: cut(path), text, size: text.length}
}
