"""WSGI entrance for the web server."""

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from portal import traces

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
traces.follow(settings.TRACES_URL)
application = get_wsgi_application()

# What is loaded now stays until the process ends: the collector need not walk over it at
# every few hundred allocations of a request.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 50, 50)
