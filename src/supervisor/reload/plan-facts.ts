// What a start has to know of a plan. What compares two plans is loaded with the first edit (`plan-diff.ts`).
import type {AppPlan, Plan} from '../../model/plan.ts'

/** What makes an app of a plan the same one in another plan. */
export const planKey = ({id, version, instance}: AppPlan): string => JSON.stringify([id, version, instance])

/** The files that a plan was read from, with those of apps that are left out: they start as they were edited last. */
export const filesOf = ({file, overlays = [], variablesFile, apps, leftOut = []}: Plan): readonly string[] => [
  file,
  ...overlays,
  ...(variablesFile === undefined ? [] : [variablesFile]),
  ...new Set([...apps, ...leftOut].flatMap(({envFiles}) => envFiles))
]
