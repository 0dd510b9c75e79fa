"""The Celery entry points: a decorator and one call each."""
