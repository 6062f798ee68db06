/** What `doctor` found about one subject. */
export interface Finding {
  /** `docker`, `capabilities`, `port 53`, … */
  readonly subject: string;
  /** `unknown`: doctor could not examine it, and `detail` has the reason. */
  readonly state: 'ok' | 'warning' | 'failed' | 'unknown';
  readonly detail: string;
  /** What to do; empty where nothing is needed. */
  readonly advice: string;
}

export const ok = (subject: string, detail: string): Finding => ({
  subject,
  state: 'ok',
  detail,
  advice: '',
});
