process.env.HEDDLE_TEST_ONE_BY_ONE = '1';
await import('./dns.test.ts');
