// Facts of a plan that a start needs. The first edit loads the comparison of two plans (`plan-diff.ts`).
import type {AppPlan, Plan} from '../../model/plan.ts'

/** Returns the identity of an app over several plans. */
export const planKey = ({id, version, instance}: AppPlan): string => JSON.stringify([id, version, instance])

/** Returns the files of a plan, and of apps that are omitted: they start by their latest edit. */
export const filesOf = ({file, overlays = [], variablesFile, apps, leftOut = []}: Plan): readonly string[] => [
  file,
  ...overlays,
  ...(variablesFile === undefined ? [] : [variablesFile]),
  ...new Set([...apps, ...leftOut].flatMap(({envFiles}) => envFiles))
]
