/**
 * Why a test is skipped that needs something which this machine does not have. The runner names what was missing in one line;
 * on a build machine (CI) `npm run test:all` fails by it.
 */
export const missing = (what: string): string => `missing: ${what}`
