/** The names of a template in its folder, the best first. Dapr's CLI knows `dapr.yaml` alone. */
export const TEMPLATE_NAMES = ['pillion.yaml', 'pillion.yml', 'dapr.yaml', 'dapr.yml'] as const

const PLAIN = /(?<=^|\/)pillion(?=\.ya?ml$)/

/** Whether a template is for apps that do not use Dapr: its file is called `pillion.yaml`. */
export const isPlainTemplate = (file: string): boolean => PLAIN.test(file)

/** Returns the path under which everything about a template is kept: renaming `dapr.yaml` to `pillion.yaml`, or back, does not change it. */
export const keptPath = (file: string): string => file.replace(PLAIN, 'dapr')

/** Returns the two paths of one template. */
export const bothPaths = (file: string): readonly string[] => [
  keptPath(file),
  file.replace(/(?<=^|\/)dapr(?=\.ya?ml$)/, 'pillion')
]
