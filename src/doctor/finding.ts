/** What `doctor` found of one subject. */
export interface Finding {
  /** `docker`, `capabilities`, `port 53`, … */
  readonly subject: string;
  /** `unknown`: it could not be tried, and `detail` says why. */
  readonly state: 'ok' | 'warning' | 'failed' | 'unknown';
  readonly detail: string;
  /** What to do; empty where nothing is. */
  readonly advice: string;
}

export const ok = (subject: string, detail: string): Finding => ({
  subject,
  state: 'ok',
  detail,
  advice: '',
});
