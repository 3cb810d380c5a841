from textworlds.cli import main

raise SystemExit(main())
