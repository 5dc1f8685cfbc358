import { z } from 'zod';

// Zod makes code of schemas where it may. The content security policy does not allow that, and would report each try.
z.config({ jitless: true });
